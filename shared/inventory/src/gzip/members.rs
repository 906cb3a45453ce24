//! Gzip members by libdeflate. Its safe binding, libdeflater, doesn't tell where a member ends, without
//! which a second member, or garbage behind the first, would go unseen.

#![expect(unsafe_code, reason = "three calls of libdeflate, with lengths taken from slices")]

use std::ptr::NonNull;

use libdeflate_sys::{
    libdeflate_alloc_decompressor, libdeflate_decompressor, libdeflate_free_decompressor,
    libdeflate_gzip_decompress_ex, libdeflate_result_LIBDEFLATE_SUCCESS,
};

/// A decompressor, to be used for one member after the other.
pub(super) struct Members(NonNull<libdeflate_decompressor>);

// SAFETY: libdeflate's decompressor is plain memory that belongs to no thread; it may be used by one
// at a time, which `&mut self` sees to.
unsafe impl Send for Members {}

impl Members {
    pub(super) fn new() -> Self {
        // SAFETY: it has no preconditions; it returns null where there is no memory.
        let made = unsafe { libdeflate_alloc_decompressor() };
        match NonNull::new(made) {
            Some(made) => Self(made),
            // As any other allocation of some kilobytes.
            None => std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; 1 << 14]>()),
        }
    }

    /// Decompresses the member at the start of `gz` to the start of `out`, and checks its checksum:
    /// how many bytes it has, compressed and not. `None` if it is damaged or doesn't fit.
    pub(super) fn decompress(&mut self, gz: &[u8], out: &mut [u8]) -> Option<(usize, usize)> {
        let (mut used, mut made) = (0, 0);
        // SAFETY: the decompressor is alive; each pointer is valid for the length given with it, `out`
        // for writing; the two results are ours.
        let result = unsafe {
            libdeflate_gzip_decompress_ex(
                self.0.as_ptr(),
                gz.as_ptr().cast(),
                gz.len(),
                out.as_mut_ptr().cast(),
                out.len(),
                &raw mut used,
                &raw mut made,
            )
        };
        (result == libdeflate_result_LIBDEFLATE_SUCCESS).then_some((used, made))
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        // SAFETY: it came from the function that this one belongs to, and is not used again.
        unsafe { libdeflate_free_decompressor(self.0.as_ptr()) }
    }
}
