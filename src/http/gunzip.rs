//! Decoding a compressed body as it comes.
//!
//! Not left to the client library: it stops without a word at the end of the first member of a
//! body that has several, and the rest of the metrics would be missing.

use std::io::{self, BufRead, ErrorKind, Read};
use std::mem;

use bytes::{Buf as _, Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;

use crate::model::{Fault, FaultCode};

/// How much is decoded, if there is as much, before it is handed on: small enough to stay in the
/// processor's cache until it is read, and no more is held in memory however far a body swells.
const ENOUGH: usize = 128 * 1024;

/// A decoder that is fed as the body comes.
pub(super) struct Gunzip {
    decoder: MultiGzDecoder<Fed>,
    begun: bool,
    over: bool,
    /// What was handed on last: where it is gone, its memory is used again.
    last: Bytes,
}

/// What was fed and not decoded yet.
#[derive(Default)]
struct Fed {
    bytes: Bytes,
    /// Whether no more will come.
    ended: bool,
}

impl Read for Fed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Fed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.bytes.is_empty() && !self.ended { Err(ErrorKind::WouldBlock.into()) } else { Ok(&self.bytes) }
    }

    fn consume(&mut self, count: usize) {
        self.bytes.advance(count.min(self.bytes.len()));
    }
}

impl Gunzip {
    pub(super) fn new() -> Self {
        let decoder = MultiGzDecoder::new(Fed::default());
        Self { decoder, begun: false, over: false, last: Bytes::new() }
    }

    /// Takes compressed bytes; the earlier ones must have been decoded.
    pub(super) fn feed(&mut self, bytes: Bytes) {
        self.begun |= !bytes.is_empty();
        self.decoder.get_mut().bytes = bytes;
    }

    /// Tells that no more will be fed. A body of nothing at all is a whole one.
    pub(super) fn end(&mut self) {
        self.decoder.get_mut().ended = true;
        self.over |= !self.begun;
    }

    /// Whether the body is over, its trailer came, and all was handed on.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Decodes some of what was fed; `None` where more must be fed first, or where the body is over.
    pub(super) fn decoded(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.over {
            return Ok(None);
        }
        let again = mem::take(&mut self.last).try_into_mut().ok().filter(|room| room.len() == ENOUGH);
        let mut room = again.unwrap_or_else(|| BytesMut::zeroed(ENOUGH));
        let mut filled = 0;
        while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.decoder.read(rest) {
                Ok(0) => {
                    self.over = true;
                    break;
                }
                Ok(more) => filled += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => {
                    // With nothing behind it, it is the trailer that does not fit what came.
                    let at_end = self.decoder.get_ref().bytes.is_empty();
                    return Err(fault(at_end || error.kind() == ErrorKind::UnexpectedEof));
                }
            }
        }
        self.last = room.freeze();
        Ok((filled > 0).then(|| self.last.slice(..filled)))
    }
}

fn fault(cut_short: bool) -> Fault {
    if cut_short {
        Fault::new(FaultCode::CutShort, "cut short: the compressed body is not whole")
    } else {
        Fault::new(FaultCode::Unreadable, "the compressed body is damaged")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

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
            assert!(!gunzip.is_over(), "more may come");
        }
        gunzip.end();
        while let Some(bytes) = gunzip.decoded().map_err(|fault| fault.code)? {
            out.extend_from_slice(&bytes);
        }
        assert!(gunzip.is_over());
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

    #[test]
    fn a_body_that_swells_a_thousandfold_comes_in_slices_that_do_not_grow_and_share_their_memory() {
        let mut gunzip = Gunzip::new();
        gunzip.feed(gzip(&vec![b'a'; 10 << 20]).into());
        gunzip.end();
        let (mut decoded, mut places) = (0, std::collections::BTreeSet::new());
        while let Some(bytes) = gunzip.decoded().unwrap() {
            assert!(bytes.len() <= ENOUGH && bytes.iter().all(|byte| *byte == b'a'));
            decoded += bytes.len();
            places.insert(bytes.as_ptr());
        }
        assert_eq!((decoded, places.len()), (10 << 20, 1));
        // Who holds on to a slice keeps it as it was.
        let mut gunzip = Gunzip::new();
        gunzip.feed(gzip(&[vec![b'a'; ENOUGH], vec![b'b'; ENOUGH]].concat()).into());
        gunzip.end();
        let held = gunzip.decoded().unwrap().unwrap();
        let next = gunzip.decoded().unwrap().unwrap();
        assert!(held.iter().all(|byte| *byte == b'a') && next.iter().all(|byte| *byte == b'b'));
    }
}
