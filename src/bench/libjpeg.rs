//! The independent decoder: mozjpeg's `jpeg_read_coefficients`, behind safe functions.
//!
//! What enters: the bytes of a JPEG. What leaves: digests of its coefficients, for tests that hold this crate to them, or
//! nothing at all, for the clock. The only file of the wing with `unsafe`: libjpeg's errors unwind through C code that
//! was built for it, and are caught here.

use std::mem::MaybeUninit;
use std::os::raw::{c_int, c_ulong};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use mozjpeg_sys::*;

use crate::spec::fingerprint::Fnv1a;

/// What libjpeg makes of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Read to the end.
    Read {
        /// Warnings given.
        warnings: i64,
        /// Digest of each component, as `Plane::digest`.
        digests: Vec<u64>,
    },
    /// Refused, with libjpeg's message.
    Refused(String),
}

struct Refusal(String);

unsafe extern "C-unwind" fn error_exit(cinfo: &mut jpeg_common_struct) {
    let mut text = [0u8; 200];
    // SAFETY: libjpeg calls this with the error manager that `with_coefficients` installed. The binding says 80 bytes and a
    // shared reference where libjpeg has a pointer to what it writes, at most 200 bytes: the two are passed alike.
    unsafe {
        if let Some(format) = (*cinfo.err).format_message {
            type Format = unsafe extern "C-unwind" fn(&mut jpeg_common_struct, *mut u8);
            let format = std::mem::transmute::<*const (), Format>(format as *const ());
            format(cinfo, text.as_mut_ptr());
        }
    }
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    resume_unwind(Box::new(Refusal(String::from_utf8_lossy(&text[..end]).into_owned())));
}

unsafe extern "C-unwind" fn emit_message(cinfo: &mut jpeg_common_struct, level: c_int) {
    if level < 0 {
        // SAFETY: as above.
        unsafe { (*cinfo.err).num_warnings += 1 };
    }
}

/// Reads all coefficients of a JPEG and takes their digests.
pub fn read(bytes: &[u8]) -> Outcome {
    let outcome = with_coefficients(bytes, |cinfo, arrays| {
        // SAFETY: `with_coefficients` passes one array a component.
        let digests = (0..cinfo.num_components as usize).map(|c| unsafe { digest(cinfo, *arrays.add(c), c) }).collect();
        // SAFETY: the error manager lives as long as `cinfo`.
        Outcome::Read { warnings: unsafe { (*cinfo.common.err).num_warnings }, digests }
    });
    outcome.unwrap_or_else(Outcome::Refused)
}

/// Reads all coefficients of a JPEG and drops them: the yardstick. Returns the number of components.
///
/// # Errors
/// libjpeg's reason to refuse the file.
pub fn coefficients(bytes: &[u8]) -> Result<usize, String> {
    with_coefficients(bytes, |cinfo, _| cinfo.num_components as usize)
}

/// Whether the libjpeg that is linked uses SIMD on this processor, as libjpeg itself says: a build that asked for SIMD and
/// found no assembler has none.
pub fn has_simd() -> bool {
    unsafe extern "C" {
        fn jsimd_can_idct_islow() -> c_int;
    }
    // SAFETY: a function without arguments that every build of libjpeg-turbo and mozjpeg has, with SIMD or without. It
    // reads the processor's features once a thread.
    unsafe { jsimd_can_idct_islow() != 0 }
}

/// Calls `then` with libjpeg's decoder and its coefficient arrays, or returns libjpeg's reason to refuse the file.
fn with_coefficients<T>(
    bytes: &[u8],
    then: impl FnOnce(&mut jpeg_decompress_struct, *mut *mut jvirt_barray_control) -> T,
) -> Result<T, String> {
    if bytes.is_empty() {
        return Err("no bytes".into());
    }
    // SAFETY: the structures live on this frame until `jpeg_destroy_decompress`, `bytes` outlives the call, and libjpeg's
    // errors unwind through C code built for it (feature `unwinding`).
    unsafe {
        let mut error: jpeg_error_mgr = MaybeUninit::zeroed().assume_init();
        let mut cinfo: jpeg_decompress_struct = MaybeUninit::zeroed().assume_init();
        cinfo.common.err = jpeg_std_error(&mut error);
        (*cinfo.common.err).error_exit = Some(error_exit);
        (*cinfo.common.err).emit_message = Some(emit_message);
        jpeg_create_decompress(&mut cinfo);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            jpeg_mem_src(&mut cinfo, bytes.as_ptr(), bytes.len() as c_ulong);
            jpeg_read_header(&mut cinfo, 1);
            let arrays = jpeg_read_coefficients(&mut cinfo);
            then(&mut cinfo, arrays)
        }));
        jpeg_destroy_decompress(&mut cinfo);
        outcome.map_err(|payload| match payload.downcast::<Refusal>() {
            Ok(refusal) => refusal.0,
            Err(other) => resume_unwind(other),
        })
    }
}

/// # Safety
/// `array` is the coefficient array of component `index` of `cinfo`, after `jpeg_read_coefficients`.
unsafe fn digest(cinfo: &mut jpeg_decompress_struct, array: *mut jvirt_barray_control, index: usize) -> u64 {
    let mut hash = Fnv1a::default();
    // SAFETY: the caller's; rows below `height_in_blocks` and columns below `width_in_blocks` exist.
    unsafe {
        let component = &*cinfo.comp_info.add(index);
        let (wide, high) = (component.width_in_blocks, component.height_in_blocks);
        let access = (*cinfo.common.mem).access_virt_barray.expect("libjpeg has a memory manager");
        for row in 0..high {
            let rows = access(&mut cinfo.common, array, row, 1, 0);
            let blocks = std::slice::from_raw_parts(*rows, wide as usize);
            for value in blocks.iter().flatten() {
                hash.write(&value.to_le_bytes());
            }
        }
    }
    hash.finish()
}
