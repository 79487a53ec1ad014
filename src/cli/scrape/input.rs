//! Where the bytes come from: a URL, a file, standard input.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::body::{Body, Refusal};
use super::{Args, Trouble};
use crate::http::{Client, Options, Request, Response};
use crate::model::text::harmless_line;
use crate::model::{Fault, FaultCode};
use crate::sources::exposition::{ACCEPT, ACCEPT_TEXT, Format, foreign_charset};

/// What ends the command at once.
#[derive(Debug)]
pub(super) enum Stop {
    /// The command line makes no sense.
    Usage(String),
    /// The page cannot be written.
    Output(io::Error),
}

/// Whether the body came whole (`Ok(None)`), broke off (`Ok(Some)`), or there was none (`Err`).
type Came = Result<Option<Trouble>, Trouble>;

/// Reads the target into the body.
pub(super) fn read(args: &Args, body: &mut Body<'_>) -> Result<Came, Stop> {
    match args.target.split_once("://") {
        Some((scheme, _)) if ["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| Stop::Usage(format!("cannot start: {error}")))?;
            runtime.block_on(over_http(args, body))
        }
        Some((scheme, _)) if !Path::new(&args.target).exists() => Err(Stop::Usage(format!(
            "{} is no scheme of a metrics endpoint: write http or https",
            harmless_line(scheme, 40)
        ))),
        _ => from_file(args, body),
    }
}

async fn over_http(args: &Args, body: &mut Body<'_>) -> Result<Came, Stop> {
    let place = shown_url(&args.target);
    let named = |fault: &Fault| trouble(&place, fault);
    let client = Client::new(Options {
        timeout: args.timeout,
        max_body: args.max_bytes,
        allow_http: true,
        ..Options::default()
    });
    let accept = if args.format.named() == Some(Format::Text) { ACCEPT_TEXT } else { ACCEPT };
    let request = Request { url: args.target.clone(), accept: Some(accept.into()), ..Request::default() };
    let mut response = match client.send(&request).await {
        Ok(response) => response,
        Err(fault) => return Ok(Err(named(&fault))),
    };
    match format_of(args, &response) {
        Ok(format) => body.in_format(format),
        Err(fault) => return Ok(Err(named(&fault))),
    }
    remark(&response, body);
    loop {
        match response.slice().await {
            Ok(Some(slice)) => {
                if let Err(refusal) = body.slice(&slice) {
                    return refused(refusal, &place);
                }
            }
            Ok(None) => return over(body, &place, None),
            Err(fault) => return over(body, &place, Some(named(&fault))),
        }
    }
}

/// What stricter readers would refuse in the head of an answer.
fn remark(response: &Response, body: &mut Body<'_>) {
    let sent = response.content_type.as_deref();
    match Format::of_content_type(sent) {
        Some(_) if sent.is_none_or(|sent| sent.trim().is_empty()) => {
            body.remark("no-content-type", "no Content-Type: Prometheus 3 refuses that".into());
        }
        Some(_) => {}
        None => {
            let sent = harmless_line(sent.unwrap_or_default(), 100);
            body.remark("content-type", format!("the content type {sent}: Prometheus 3 refuses it"));
        }
    }
    if let Some(charset) = foreign_charset(sent) {
        let charset = harmless_line(charset, 40);
        body.remark("charset", format!("the character set {charset}: metrics are written in UTF-8"));
    }
}

/// The dialect of an answer, or what is wrong with its head.
fn format_of(args: &Args, response: &Response) -> Result<Format, Fault> {
    if let Some(fault) = response.fault() {
        return Err(fault);
    }
    if !(200..300).contains(&response.status) {
        return Err(Fault::new(FaultCode::Status, format!("answers {}", response.status)));
    }
    let sent = response.content_type.as_deref();
    args.format.named().or_else(|| Format::of_content_type(sent)).ok_or_else(|| {
        let sent = sent.unwrap_or_default();
        Fault::new(
            FaultCode::ContentType,
            format!("sends {sent}, which is not an exposition (--format text reads it all the same)"),
        )
    })
}

fn from_file(args: &Args, body: &mut Body<'_>) -> Result<Came, Stop> {
    let piped = args.target == "-";
    let place = if piped { "standard input".to_owned() } else { harmless_line(&args.target, 200) };
    let failed = |error: &io::Error| Trouble {
        code: FaultCode::Unreachable.as_str(),
        text: format!("{place}: {}{}", harmless_line(&error.to_string(), 200), hint(args, error)),
    };
    if let (true, Some(format)) = (piped, args.format.named()) {
        body.in_format(format);
        return pour(io::stdin().lock(), args.max_bytes, body, &place);
    }
    let opened = if piped { spooled(io::stdin().lock(), args.max_bytes) } else { open(args) };
    let (file, format) = match opened.and_then(|mut file| Ok((named_or_found(args, &mut file)?, file))) {
        Ok((format, file)) => (file, format),
        Err(error) => return Ok(Err(failed(&error))),
    };
    body.in_format(format);
    pour(file, args.max_bytes, body, &place)
}

/// Opens a file; what can be read only once (a fifo, a process substitution) is copied first, since
/// its end says which dialect it is.
fn open(args: &Args) -> io::Result<File> {
    let file = File::open(&args.target)?;
    let kind = file.metadata()?;
    if kind.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
    }
    if kind.is_file() || args.format.named().is_some() { Ok(file) } else { spooled(file, args.max_bytes) }
}

/// A copy on disk without a name, a little longer than may be read, so that the cap is still noticed.
fn spooled(source: impl Read, max_bytes: u64) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let most = if max_bytes == 0 { u64::MAX } else { max_bytes.saturating_add(1) };
    io::copy(&mut source.take(most), &mut file)?;
    file.rewind()?;
    Ok(file)
}

/// The dialect asked for, or else `OpenMetrics` where the file ends in `# EOF`.
fn named_or_found(args: &Args, file: &mut File) -> io::Result<Format> {
    if let Some(format) = args.format.named() {
        return Ok(format);
    }
    let end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(end.saturating_sub(16)))?;
    let mut tail = Vec::new();
    file.by_ref().take(16).read_to_end(&mut tail)?;
    file.rewind()?;
    let last = tail.trim_ascii_end();
    let ended = last == b"# EOF" || last.ends_with(b"\n# EOF");
    Ok(if ended { Format::OpenMetrics } else { Format::Text })
}

fn pour(mut source: impl Read, max_bytes: u64, body: &mut Body<'_>, place: &str) -> Result<Came, Stop> {
    let mut slice = vec![0; 128 << 10];
    let mut room = if max_bytes == 0 { u64::MAX } else { max_bytes };
    loop {
        let read = match source.read(&mut slice) {
            Ok(0) => return over(body, place, None),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let fault = Fault::new(FaultCode::CutShort, error.to_string());
                return over(body, place, Some(trouble(place, &fault)));
            }
        };
        let within = usize::try_from(room).unwrap_or(usize::MAX).min(read);
        if let Err(refusal) = body.slice(slice.get(..within).unwrap_or_default()) {
            return refused(refusal, place);
        }
        if within < read {
            let fault =
                Fault::new(FaultCode::TooLarge, format!("more than {max_bytes} bytes: see --max-bytes"));
            return over(body, place, Some(trouble(place, &fault)));
        }
        room -= within as u64;
    }
}

fn over(body: &mut Body<'_>, place: &str, cut: Option<Trouble>) -> Result<Came, Stop> {
    match body.over() {
        Ok(()) => Ok(Ok(cut)),
        Err(refusal) => refused(refusal, place),
    }
}

fn refused(refusal: Refusal, place: &str) -> Result<Came, Stop> {
    match refusal {
        Refusal::Output(error) => Err(Stop::Output(error)),
        Refusal::NoExposition(sentence) => {
            Ok(Err(Trouble { code: FaultCode::ContentType.as_str(), text: format!("{place}: {sentence}") }))
        }
    }
}

fn trouble(place: &str, fault: &Fault) -> Trouble {
    Trouble { code: fault.code.as_str(), text: format!("{place}: {fault}") }
}

/// What a missing file may have been meant to be.
fn hint(args: &Args, error: &io::Error) -> String {
    let like_a_host = args.target.contains(':') || args.target.contains('/') && args.target.contains('.');
    if error.kind() == io::ErrorKind::NotFound && like_a_host {
        return format!(" (an endpoint is written http://{})", harmless_line(&args.target, 100));
    }
    String::new()
}

/// The URL without the user and password that may stand in it.
fn shown_url(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    harmless_line(&format!("{scheme}://{host}{path}"), 200)
}

#[cfg(test)]
mod tests {
    use super::shown_url;

    #[test]
    fn a_password_in_a_url_is_not_repeated_in_messages() {
        assert_eq!(shown_url("http://ann:secret@host:9090/metrics?x=@y"), "http://host:9090/metrics?x=@y");
        assert_eq!(shown_url("https://host/metrics"), "https://host/metrics");
    }
}
