//! One object, or a listing of many.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, mpsc};

use futures_util::StreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig,
};
use tokio::runtime::Runtime;

use super::Meta;

/// How often a request is repeated before it counts as failed.
pub const RETRIES: usize = 8;

impl From<&ObjectMeta> for Meta {
    fn from(meta: &ObjectMeta) -> Self {
        Meta { size: meta.size, modified: meta.last_modified.timestamp_micros() }
    }
}

/// A place in a store: an object, or what the names of several begin with.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The URL up to the object's key.
    base: String,
    pub(super) key: Path,
    /// Whether the URL ends like a folder.
    folder: bool,
    pub(super) is_http: bool,
}

/// Bytes that are on their way. Dropped, they are no longer waited for.
#[derive(Debug)]
pub struct Pending {
    receiver: mpsc::Receiver<io::Result<Vec<u8>>>,
    task: tokio::task::AbortHandle,
}

impl Pending {
    /// Waits for them.
    ///
    /// # Errors
    /// Those of the store.
    pub fn wait(&self) -> io::Result<Vec<u8>> {
        self.receiver.recv().unwrap_or_else(|_| Err(io::ErrorKind::NotConnected.into()))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Tells of the first bytes of an object whether more are wanted.
pub type Enough = Box<dyn FnMut(&[u8]) -> bool + Send>;

/// Bytes as they arrive, until there are enough or no more. `None` if they break off: to ask again is for others.
async fn first_bytes(
    store: &dyn ObjectStore,
    key: &Path,
    range: Option<Range<u64>>,
    mut enough: Enough,
) -> Option<Vec<u8>> {
    let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
    let mut arriving = store.get_opts(key, options).await.ok()?.into_stream();
    let mut bytes = Vec::new();
    while let Some(some) = arriving.next().await {
        bytes.extend_from_slice(&some.ok()?);
        if enough(&bytes) {
            break;
        }
    }
    Some(bytes)
}

/// What requests run on. One for the process, as are its connections.
pub(super) fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let build = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).thread_name("jpegdct-objects").enable_all().build().map_err(|error| error.to_string())
    };
    RUNTIME.get_or_init(build).as_ref().map_err(|error| io::Error::other(error.as_str()))
}

/// Buckets and hosts that are open, by the beginning of their URLs.
static STORES: LazyLock<Mutex<HashMap<String, Arc<dyn ObjectStore>>>> = LazyLock::new(Mutex::default);

impl Client {
    /// The place a URL names. Nothing is asked of the store yet.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for what is no such URL, or settings in the environment that are none.
    pub fn of(url: &FilePath) -> io::Result<Client> {
        let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
        let url = url.to_str().ok_or_else(|| invalid("the URL is no UTF-8".into()))?;
        // Paths elsewhere have other separators.
        let url = if std::path::MAIN_SEPARATOR == '/' { url.to_string() } else { url.replace('\\', "/") };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| invalid(format!("{url} is no URL")))?;
        let (host, key) = rest.split_once('/').unwrap_or((rest, ""));
        let is_http = scheme.starts_with("http");
        if host.is_empty() || is_http && key.contains(['?', '#']) {
            return Err(invalid(format!("{url}: a URL has a bucket or host, and no query")));
        }
        let parsed = if is_http { Path::from_url_path(key) } else { Path::parse(key) };
        let parsed = parsed.map_err(|error| invalid(format!("{url}: {error}")))?;
        let base = format!("{scheme}://{host}");
        let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
        let store = match stores.get(&base) {
            Some(store) => store.clone(),
            None => stores.entry(base.clone()).or_insert(open(scheme, &base)?).clone(),
        };
        Ok(Client { store, base, key: parsed, folder: key.is_empty() || key.ends_with('/'), is_http })
    }

    /// Whether the URL can only be that of a folder.
    pub fn is_folder(&self) -> bool {
        self.folder
    }

    /// Whether the store can be asked what it holds.
    pub fn can_list(&self) -> bool {
        !self.is_http
    }

    /// A place below this one.
    pub fn below(&self, name: &str) -> Client {
        let key = name.split('/').filter(|part| !part.is_empty()).fold(self.key.clone(), |key, part| key.join(part));
        Client { key, folder: false, ..self.clone() }
    }

    /// What the store knows of the object.
    ///
    /// # Errors
    /// Those of the store.
    pub fn meta(&self) -> io::Result<Meta> {
        runtime()?.block_on(self.store.head(&self.key)).map(|meta| (&meta).into()).map_err(io_error)
    }

    /// The object's bytes.
    ///
    /// # Errors
    /// Those of the store.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        self.start(None)?.wait()
    }

    /// Asks for the object's bytes, or a range of them, and does not wait.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub fn start(&self, range: Option<Range<u64>>) -> io::Result<Pending> {
        self.start_until(range, None)
    }

    /// The same for as many of the first bytes as are `enough`, or all.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub fn start_until(&self, range: Option<Range<u64>>, enough: Option<Enough>) -> io::Result<Pending> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let (store, key) = (self.store.clone(), self.key.clone());
        let get = async move {
            let first = match enough {
                Some(enough) => first_bytes(&*store, &key, range.clone(), enough).await,
                None => None,
            };
            let bytes = match range {
                _ if first.is_some() => Ok(first.unwrap_or_default().into()),
                Some(range) => store.get_range(&key, range).await,
                None => match store.get(&key).await {
                    Ok(found) => found.bytes().await,
                    Err(error) => Err(error),
                },
            };
            // Whoever asked may have gone.
            let _ = sender.send(bytes.map(Vec::from).map_err(io_error));
        };
        let task = runtime()?.spawn(get).abort_handle();
        Ok(Pending { receiver, task })
    }

    /// All objects below this place, sorted by their names part by part, as a folder is walked.
    ///
    /// # Errors
    /// Those of the store.
    pub fn list(&self) -> io::Result<Vec<(String, Meta)>> {
        let prefix = (!self.key.as_ref().is_empty()).then_some(&self.key);
        let mut listed = self.store.list(prefix);
        let mut found: Vec<(String, Meta)> = Vec::new();
        runtime()?.block_on(async {
            while let Some(object) = listed.next().await {
                let object = object.map_err(io_error)?;
                found.push((object.location.as_ref().to_string(), (&object).into()));
            }
            io::Result::Ok(())
        })?;
        found.sort_by(|(a, _), (b, _)| a.split('/').cmp(b.split('/')));
        Ok(found)
    }

    /// The URL of an object that [`Client::list`] gave.
    pub fn url_of(&self, key: &str) -> String {
        format!("{}/{key}", self.base)
    }

    /// The key, without slashes at its ends.
    pub fn key(&self) -> &str {
        self.key.as_ref()
    }

    /// Writes a small object.
    ///
    /// # Errors
    /// Those of the store.
    pub fn write(&self, bytes: Vec<u8>) -> io::Result<()> {
        runtime()?.block_on(self.store.put(&self.key, bytes.into())).map(drop).map_err(io_error)
    }

    /// Removes the object, if it is there.
    ///
    /// # Errors
    /// Those of the store.
    pub fn remove(&self) -> io::Result<()> {
        match runtime()?.block_on(self.store.delete(&self.key)).map_err(io_error) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn open(scheme: &str, base: &str) -> io::Result<Arc<dyn ObjectStore>> {
    let retries = match std::env::var("JPEGDCT_RETRIES") {
        Ok(text) => text
            .parse()
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("JPEGDCT_RETRIES={text} is no number")))?,
        Err(_) => RETRIES,
    };
    let retry = RetryConfig { max_retries: retries, backoff: BackoffConfig::default(), ..RetryConfig::default() };
    Ok(match scheme {
        "s3" => {
            let mut builder = AmazonS3Builder::from_env().with_url(base).with_retry(retry);
            // Who names an endpoint without TLS means it.
            let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"].map(std::env::var);
            if let Some(endpoint) = endpoint.into_iter().find_map(Result::ok) {
                builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
            }
            Arc::new(builder.build().map_err(io_error)?)
        }
        "gs" => {
            let builder = GoogleCloudStorageBuilder::from_env().with_url(base).with_retry(retry);
            Arc::new(builder.build().map_err(io_error)?)
        }
        "az" => {
            let builder = MicrosoftAzureBuilder::from_env().with_url(base).with_retry(retry);
            Arc::new(builder.build().map_err(io_error)?)
        }
        _ => {
            let client = ClientOptions::new().with_allow_http(scheme == "http");
            let builder = HttpBuilder::new().with_url(base).with_client_options(client).with_retry(retry);
            Arc::new(builder.build().map_err(io_error)?)
        }
    })
}

/// The one place where errors of stores become errors of reading and writing.
pub(super) fn io_error(error: object_store::Error) -> io::Error {
    use object_store::Error::{
        Generic, InvalidPath, NotFound, NotSupported, PermissionDenied, Unauthenticated, UnknownConfigurationKey,
    };
    // Some hold a page of XML or HTML.
    let text = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let kind = match &error {
        NotFound { .. } => io::ErrorKind::NotFound,
        PermissionDenied { .. } | Unauthenticated { .. } => io::ErrorKind::PermissionDenied,
        NotSupported { .. } => io::ErrorKind::Unsupported,
        InvalidPath { .. } | UnknownConfigurationKey { .. } => io::ErrorKind::InvalidInput,
        // Listings and uploads that are refused have no error of their own.
        Generic { .. } if ["401", "403"].iter().any(|code| text.contains(&format!("status code: {code} "))) => {
            io::ErrorKind::PermissionDenied
        }
        Generic { .. } => io::ErrorKind::NotConnected,
        _ => io::ErrorKind::Other,
    };
    let text = match text.char_indices().nth(400) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text,
    };
    io::Error::new(kind, text)
}
