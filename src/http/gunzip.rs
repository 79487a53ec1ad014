//! Decoding a compressed body as it comes.
//!
//! Not left to the client library: it stops without a word at the end of the first member of a
//! body that has several, and the rest of the metrics would be missing.

use std::io::Write;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

use crate::model::{Fault, FaultCode};

/// The most compressed bytes decoded at once. They can swell a thousandfold, and what comes out is
/// held in memory until it is counted against the cap.
const PIECE: usize = 4 * 1024;

/// A decoder that is fed as the body comes.
pub(super) struct Gunzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    waiting: Bytes,
    begun: bool,
}

impl Gunzip {
    pub(super) fn new() -> Self {
        Self { decoder: MultiGzDecoder::new(Vec::new()), waiting: Bytes::new(), begun: false }
    }

    /// Takes compressed bytes; the earlier ones must have been decoded.
    pub(super) fn feed(&mut self, bytes: Bytes) {
        self.begun |= !bytes.is_empty();
        self.waiting = bytes;
    }

    /// Decodes some of what was fed; `None` where more must be fed first.
    pub(super) fn decoded(&mut self) -> Result<Option<Bytes>, Fault> {
        while !self.waiting.is_empty() {
            let piece = self.waiting.split_to(self.waiting.len().min(PIECE));
            self.decoder
                .write_all(&piece)
                .map_err(|_| Fault::new(FaultCode::Unreadable, "the compressed body is damaged"))?;
            let out = std::mem::take(self.decoder.get_mut());
            if !out.is_empty() {
                return Ok(Some(out.into()));
            }
        }
        Ok(None)
    }

    /// Ends the body: the last bytes, if its trailer came and fits.
    pub(super) fn finish(self) -> Result<Bytes, Fault> {
        if !self.begun {
            return Ok(Bytes::new());
        }
        let whole = self.decoder.finish();
        whole
            .map(Bytes::from)
            .map_err(|_| Fault::new(FaultCode::CutShort, "cut short: the compressed body is not whole"))
    }
}
