//! What a command item asks for, and how it went.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::duration::short;
use crate::model::text::harmless;

/// What every program may know of the environment; `TERM` is `dumb` for all.
const BASE: &[&str] = &["PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER"];

/// One program to run for a checklist's item. There is no shell: each argument arrives as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The program and its arguments. A name without a slash is looked for in `PATH`.
    pub argv: Vec<String>,
    /// Names of environment variables that the program gets beside `PATH`, `HOME`, `LANG`, `LC_ALL`,
    /// `TZ`, `USER` and `TERM=dumb`; nothing else of the environment reaches it. Their values are
    /// taken for secrets and redacted in its output. A name that is not set is not passed on.
    pub env: Vec<String>,
    /// The time it has. Then its process group gets TERM, and KILL 5 seconds later.
    pub timeout: Duration,
    /// Where it runs; `None`: where its supervisor does.
    pub dir: Option<PathBuf>,
}

impl Job {
    /// The environment that the program gets; `lookup` gives the value of a name.
    pub(super) fn environment(
        &self,
        lookup: impl Fn(&str) -> Option<OsString>,
    ) -> BTreeMap<String, OsString> {
        let named = |name: &str| Some((name.to_owned(), lookup(name)?));
        let mut environment: BTreeMap<_, _> = BASE.iter().filter_map(|name| named(name)).collect();
        environment.insert("TERM".into(), "dumb".into());
        environment.extend(self.env.iter().filter_map(|name| named(name)));
        environment
    }

    /// Whether the job itself asks for the variable, so that its value is a secret.
    pub(super) fn keeps_secret(&self, name: &str) -> bool {
        name != "TERM" && !BASE.contains(&name) && self.env.iter().any(|asked| asked == name)
    }
}

/// The command as a person reads it, harmless to print: `flagctl set tasks.enabled --note "two words"`.
impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, argument) in self.argv.iter().enumerate() {
            let space = if i == 0 { "" } else { " " };
            let plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+".contains(c);
            if !argument.is_empty() && argument.chars().all(plain) {
                write!(f, "{space}{argument}")?;
            } else {
                let quoted = argument.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "{space}\"{}\"", harmless(&quoted))?;
            }
        }
        Ok(())
    }
}

/// How a program ended, or that it never began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It ended by itself with this exit code.
    Exited(i32),
    /// A signal ended it. Also where it was cancelled, whatever it then said of itself: 15 where TERM
    /// was enough, 9 where KILL was needed.
    Signalled(i32),
    /// It was not done in time, and it and what it had started have been ended, whatever it then said
    /// of itself.
    TimedOut,
    /// It never ran, for this reason.
    NotStarted(String),
    /// It ran, and the system could not tell how it ended.
    Lost(String),
}

impl Status {
    /// Whether the program did what it was asked for: only where it ended by itself with 0.
    pub fn is_success(&self) -> bool {
        *self == Self::Exited(0)
    }
}

/// `exited with 3`, `ended by signal 15`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with {code}"),
            Self::Signalled(signal) => write!(f, "ended by signal {signal}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::NotStarted(why) => write!(f, "not started: {}", harmless(why)),
            Self::Lost(why) => write!(f, "ended in a way nobody can tell: {}", harmless(why)),
        }
    }
}

/// How a job went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How the program ended.
    pub status: Status,
    /// The time from its start to its end; zero where it never ran.
    pub took: Duration,
    /// How many bytes it wrote, as they are after redaction, those left out of the file included.
    pub output_bytes: u64,
    /// `sha256:` and 64 digits over all these bytes. Where nothing was left out of the output file it
    /// is the hash of that file.
    pub output_sha256: String,
    /// The last 4 KiB or less of what it wrote, redacted; not harmless to print.
    pub tail: String,
    /// Why the output file does not hold what it should; the other figures stay true.
    pub unkept: Option<String>,
}

/// `flagctl set … (at most 60s, with FLAG_TOKEN, in /srv)`: what a job would do, for an exercise.
pub(super) fn described(job: &Job) -> String {
    let mut text = format!("{job} (at most {}", short(job.timeout));
    if !job.env.is_empty() {
        text.push_str(", with ");
        text.push_str(&harmless(&job.env.join(", ")));
    }
    if let Some(dir) = &job.dir {
        text.push_str(", in ");
        text.push_str(&harmless(&dir.to_string_lossy()));
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(argv: &[&str], env: &[&str]) -> Job {
        let texts = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect();
        Job { argv: texts(argv), env: texts(env), timeout: Duration::from_mins(1), dir: None }
    }

    #[test]
    fn a_command_reads_as_typed_and_steers_no_terminal() {
        let odd = job(&["flagctl", "a b", "", "x\"; $(y)", "\u{1b}[2J", "--to=10%"], &["FLAG_TOKEN"]);
        assert_eq!(odd.to_string(), r#"flagctl "a b" "" "x\"; $(y)" "\u{1b}[2J" --to=10%"#);
        assert!(described(&odd).ends_with("--to=10% (at most 1m, with FLAG_TOKEN)"), "{}", described(&odd));
    }

    #[test]
    fn a_program_gets_the_base_and_what_is_named_and_nothing_else() {
        let lookup = |name: &str| (name != "LANG" && name != "UNSET").then(|| format!("<{name}>").into());
        let job = job(&["x"], &["FLAG_TOKEN", "UNSET", "HOME"]);
        let environment = job.environment(lookup);
        let names: Vec<&str> = environment.keys().map(String::as_str).collect();
        assert_eq!(names, ["FLAG_TOKEN", "HOME", "LC_ALL", "PATH", "TERM", "TZ", "USER"]);
        assert_eq!(environment["TERM"], "dumb");
        let secret: Vec<&str> = names.into_iter().filter(|name| job.keeps_secret(name)).collect();
        assert_eq!(secret, ["FLAG_TOKEN"], "a home directory is no secret");
    }

    #[test]
    fn only_a_program_that_ended_by_itself_with_nought_did_what_it_was_asked_for() {
        let all = [
            (Status::Exited(0), true),
            (Status::Exited(1), false),
            (Status::Signalled(15), false),
            (Status::TimedOut, false),
            (Status::NotStarted("x".into()), false),
            (Status::Lost("x".into()), false),
        ];
        for (status, success) in all {
            assert_eq!(status.is_success(), success, "{status}");
        }
    }
}
