//! URLs of object stores.
//!
//! What enters: one URL. What leaves: inputs, appended. A store that cannot be asked, or refuses to say what it holds, is
//! no lost input but makes the listing incomplete.

use std::io::{self, Read, Seek};
use std::path::Path;

use super::{Found, Input};
#[cfg(feature = "cloud")]
use super::{Kind, archive, names, walk};
use crate::objects::Meta;
#[cfg(feature = "cloud")]
use crate::objects::{Client, ObjectReader};

/// How many names places of several URLs leave out: the scheme.
const SCHEME: u32 = 1;

/// What archives and lists are read from.
pub(in crate::corpus) trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

#[cfg(not(feature = "cloud"))]
pub(super) fn list_url(url: &Path, _alone: bool, found: &mut Found) {
    found.inputs.push(Input::lost(url, crate::objects::not_built(), SCHEME));
}

/// Opens an object.
#[cfg(not(feature = "cloud"))]
pub(in crate::corpus) fn open(_url: &Path) -> io::Result<(Box<dyn ReadSeek>, Meta)> {
    Err(crate::objects::not_built())
}

/// Opens an object.
#[cfg(feature = "cloud")]
pub(in crate::corpus) fn open(url: &Path) -> io::Result<(Box<dyn ReadSeek>, Meta)> {
    let client = Client::of(url)?;
    let meta = client.meta()?;
    Ok((Box::new(ObjectReader::new(client, meta.size)), meta))
}

/// Lists what a URL names.
#[cfg(feature = "cloud")]
pub(super) fn list_url(url: &Path, alone: bool, found: &mut Found) {
    let before = found.inputs.len();
    match list(url, alone, found) {
        Ok(()) if found.inputs.len() > before => {}
        Ok(()) => {
            let error = io::Error::new(io::ErrorKind::NotFound, "no images there");
            found.inputs.push(Input::lost(url, error, SCHEME));
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => {
            found.inputs.push(Input::lost(url, error, SCHEME));
        }
        Err(error) => {
            let error = io::Error::new(error.kind(), format!("{} cannot be listed: {error}", url.display()));
            found.incomplete.get_or_insert(error.into());
        }
    }
}

#[cfg(feature = "cloud")]
fn list(url: &Path, alone: bool, found: &mut Found) -> io::Result<()> {
    let client = Client::of(url)?;
    let pattern = walk::is_pattern(url.as_os_str()).then(|| client.key().to_string());
    if !client.is_folder() {
        match client.meta() {
            Ok(_) if archive::has_archive_name(url) => {
                let strip = if alone { count(url) } else { SCHEME };
                archive::list_archive(url, strip, found);
                return Ok(());
            }
            Ok(meta) => {
                found.inputs.push(Input::new(url.into(), Kind::Object(meta), SCHEME));
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && client.can_list() => {}
            Err(error) => return Err(error),
        }
    }
    if !client.can_list() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a web server does not say what a folder holds"));
    }
    if let Some(key) = pattern {
        return list_pattern(&client, &key, found);
    }
    let strip = if alone { count(url) } else { SCHEME };
    for (key, meta) in client.list()? {
        let path = std::path::PathBuf::from(client.url_of(&key));
        if walk::has_image_extension(&path) {
            let input = Input::new(path, Kind::Object(meta), strip);
            found.inputs.push(Input { root: Some(count(url)), ..input });
        }
    }
    Ok(())
}

/// Objects whose keys match a pattern, by the rules of patterns of files.
#[cfg(feature = "cloud")]
fn list_pattern(client: &Client, key: &str, found: &mut Found) -> io::Result<()> {
    let invalid = |error: glob::PatternError| io::Error::new(io::ErrorKind::InvalidInput, error.to_string());
    let pattern = glob::Pattern::new(key).map_err(invalid)?;
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    let plain: Vec<&str> = key.split('/').take_while(|name| !walk::is_pattern(name.as_ref())).collect();
    let folder = Client::of(Path::new(&client.url_of(&plain.join("/"))))?;
    for (key, meta) in folder.list()? {
        if pattern.matches_with(&key, options) {
            let path: std::path::PathBuf = client.url_of(&key).into();
            match archive::has_archive_name(&path) {
                true => archive::list_archive(&path, SCHEME, found),
                false => found.inputs.push(Input::new(path, Kind::Object(meta), SCHEME)),
            }
        }
    }
    Ok(())
}

#[cfg(feature = "cloud")]
fn count(url: &Path) -> u32 {
    u32::try_from(names(url).count()).unwrap_or(0)
}
