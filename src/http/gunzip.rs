//! Decoding a compressed body as it comes.
//!
//! Not left to the client library: it stops without a word at the end of the first member of a
//! body that has several, and the rest of the metrics would be missing.

use std::io::Write;

use bytes::buf::Writer;
use bytes::{BufMut, Bytes, BytesMut};
use flate2::write::MultiGzDecoder;

use crate::model::{Fault, FaultCode};

/// The most compressed bytes decoded at once. They can swell a thousandfold, and what comes out is
/// held in memory until it is counted against the cap.
const PIECE: usize = 4 * 1024;

/// How much is decoded, if there is as much, before it is handed on: small enough to stay in the
/// processor's cache until it is read, and the buffer is used again.
const ENOUGH: usize = 64 * 1024;

/// A decoder that is fed as the body comes.
pub(super) struct Gunzip {
    decoder: MultiGzDecoder<Writer<BytesMut>>,
    waiting: Bytes,
    begun: bool,
}

impl Gunzip {
    pub(super) fn new() -> Self {
        let decoder = MultiGzDecoder::new(BytesMut::new().writer());
        Self { decoder, waiting: Bytes::new(), begun: false }
    }

    /// Takes compressed bytes; the earlier ones must have been decoded.
    pub(super) fn feed(&mut self, bytes: Bytes) {
        self.begun |= !bytes.is_empty();
        self.waiting = bytes;
    }

    /// Decodes some of what was fed; `None` where more must be fed first.
    pub(super) fn decoded(&mut self) -> Result<Option<Bytes>, Fault> {
        // Where the last slice is gone, this is its room again.
        self.decoder.get_mut().get_mut().reserve(ENOUGH);
        while !self.waiting.is_empty() && self.decoder.get_ref().get_ref().len() < ENOUGH {
            let piece = self.waiting.split_to(self.waiting.len().min(PIECE));
            self.decoder
                .write_all(&piece)
                .map_err(|_| Fault::new(FaultCode::Unreadable, "the compressed body is damaged"))?;
        }
        let out = self.decoder.get_mut().get_mut().split();
        Ok((!out.is_empty()).then(|| out.freeze()))
    }

    /// Ends the body: the last bytes, if its trailer came and fits.
    pub(super) fn finish(self) -> Result<Bytes, Fault> {
        if !self.begun {
            return Ok(Bytes::new());
        }
        let whole = self.decoder.finish();
        whole
            .map(|out| out.into_inner().freeze())
            .map_err(|_| Fault::new(FaultCode::CutShort, "cut short: the compressed body is not whole"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn text() -> Vec<u8> {
        (0..2000).flat_map(|n| format!("depth{{queue=\"q{n}\"}} {}\n", n * n).into_bytes()).collect()
    }

    /// Decodes a body that comes in slices of `size`.
    fn decode(body: &[u8], size: usize) -> Result<Vec<u8>, FaultCode> {
        let mut gunzip = Gunzip::new();
        let mut out = Vec::new();
        for slice in body.chunks(size) {
            gunzip.feed(Bytes::copy_from_slice(slice));
            while let Some(bytes) = gunzip.decoded().map_err(|fault| fault.code)? {
                out.extend_from_slice(&bytes);
            }
        }
        out.extend_from_slice(&gunzip.finish().map_err(|fault| fault.code)?);
        Ok(out)
    }

    #[test]
    fn a_body_of_one_or_several_members_comes_out_whole_in_slices_of_any_size() {
        let text = text();
        let twice = [gzip(&text), gzip(b""), gzip(&text)].concat();
        for size in [1, 7, 4096, usize::MAX] {
            assert_eq!(decode(&gzip(&text), size).unwrap(), text, "{size}");
            assert_eq!(decode(&twice, size).unwrap(), [&text[..], &text].concat(), "{size}");
        }
        assert_eq!(decode(b"", 1).unwrap(), b"", "no body is none");
    }

    #[test]
    fn a_body_that_is_cut_off_anywhere_is_never_taken_for_whole() {
        let text = text();
        let whole = gzip(&text);
        let two = [gzip(b"a 1\n"), gzip(b"b 2\n")].concat();
        for cut in 1..whole.len() {
            assert_eq!(
                decode(&whole[..cut], usize::MAX),
                Err(FaultCode::CutShort),
                "{cut} of {}",
                whole.len()
            );
        }
        let first = gzip(b"a 1\n").len();
        for cut in (1..two.len()).filter(|cut| *cut != first) {
            assert_eq!(decode(&two[..cut], usize::MAX), Err(FaultCode::CutShort), "{cut} of {}", two.len());
        }
    }

    #[test]
    fn a_trailer_that_does_not_fit_and_garbage_behind_it_are_noticed() {
        let whole = gzip(&text());
        for back in 1..=8 {
            let mut wrong = whole.clone();
            let at = wrong.len() - back;
            wrong[at] ^= 0x55;
            assert!(decode(&wrong, usize::MAX).is_err(), "byte {back} from the end");
        }
        assert!(decode(&[&whole[..], b"garbage"].concat(), usize::MAX).is_err());
        assert!(decode(b"depth 1\n", usize::MAX).is_err(), "not compressed at all");
    }
}
