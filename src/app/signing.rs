//! Signing in and out, and who is signed in.

use std::time::Duration;

use crate::checklist::Author;
use crate::model::credential::CredentialDef;
use crate::model::{Person, Time};

use super::key::{Code, Key};
use super::log::LogKind;
use super::msg::Effect;
use super::state::{Dialog, State};

/// A sign-in that was begun here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    /// The credential's name.
    pub credential: String,
    /// Whose code it is.
    pub issuer: String,
    /// How far it has come.
    pub step: Step,
    /// Messages of another one are of no account.
    ticket: u64,
}

/// How far a sign-in has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The issuer is asked for a code.
    Asking,
    /// The person has to type a code in elsewhere.
    Code(Invitation),
    /// Nothing came of it.
    Failed(String),
}

/// What the person needs; every text is harmless to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// What they type in.
    pub user_code: String,
    /// Where.
    pub uri: String,
    /// The same with the code in it.
    pub complete: Option<String>,
    /// Until when the code is good.
    pub ends: Time,
}

/// What is heard of sign-ins.
#[derive(Clone, Debug)]
pub enum SignInTold {
    /// The issuer gave a code.
    Code {
        /// Of which sign-in.
        ticket: u64,
        /// What they type in.
        user_code: String,
        /// Where.
        uri: String,
        /// The same with the code in it.
        complete: Option<String>,
        /// How long the code is good.
        life: Duration,
    },
    /// It is done.
    Done {
        /// Of which sign-in.
        ticket: u64,
        /// Who has signed in, or why nobody has.
        outcome: Result<Box<Person>, String>,
    },
    /// Who is signed in by now with the credential that says who is at the keyboard: here or in another
    /// terminal. Or why that cannot be known.
    Kept(Result<Option<Box<Person>>, String>),
    /// What became of signing out.
    Out {
        /// The credential's name.
        credential: String,
        /// In words.
        text: String,
        /// Whether nobody is signed in now.
        done: bool,
    },
}

/// Asks for a sign-in: of the named credential, else of the one that says who is at the keyboard, else of
/// the only one there is.
pub(super) fn ask(state: &mut State, name: &str) -> Vec<Effect> {
    let Some(def) = chosen(state, name) else { return Vec::new() };
    let Some(server) = def.device() else { return Vec::new() };
    if let Some(signing) = &state.signing
        && signing.credential == def.name
        && !matches!(signing.step, Step::Failed(_))
    {
        state.open(Dialog::SignIn);
        return Vec::new();
    }
    let issuer = crate::model::text::harmless_line(&server.issuer, 100);
    let ticket = state.ticket();
    state.signing = Some(Signing { credential: def.name.clone(), issuer, step: Step::Asking, ticket });
    state.open(Dialog::SignIn);
    vec![Effect::SignIn { credential: Box::new(def), ticket }]
}

/// Asks to be signed out.
pub(super) fn ask_out(state: &mut State, name: &str) -> Vec<Effect> {
    match chosen(state, name) {
        Some(def) => vec![Effect::SignOut(Box::new(def))],
        None => Vec::new(),
    }
}

fn chosen(state: &mut State, name: &str) -> Option<CredentialDef> {
    let launch = std::sync::Arc::clone(&state.launch);
    let devices: Vec<&CredentialDef> =
        launch.credentials.values().filter(|def| def.device().is_some()).collect();
    let names: Vec<&str> = devices.iter().map(|def| def.name.as_str()).collect();
    let wanted = if name.is_empty() { launch.identity.as_deref() } else { Some(name) };
    let found = match (wanted, devices.as_slice()) {
        (_, []) => {
            state.say("nobody can sign in with this launch: it has no credential of kind device");
            return None;
        }
        (Some(wanted), _) => devices.iter().find(|def| def.name == wanted).copied(),
        (None, [only]) => Some(*only),
        (None, _) => None,
    };
    if found.is_none() {
        state.say(format!("say which: :sign-in {}", names.join(", :sign-in ")));
    }
    found.cloned()
}

/// A key while the dialog is open; `None`: the dialog closes and the sign-in with it.
pub(super) fn key(state: &mut State, key: Key, since: Time) -> Vec<Effect> {
    let mut effects = Vec::new();
    match (key.code, state.signing.as_ref().map(|signing| &signing.step)) {
        (_, None) => return Vec::new(),
        (Code::Char('y'), Some(Step::Code(code))) => {
            effects.push(Effect::Copy(code.complete.as_ref().unwrap_or(&code.uri).clone()));
            state.say("copied, where the terminal allows it (OSC 52)");
        }
        (Code::Char('r'), Some(Step::Failed(_))) => {
            let name = state.signing.take().map(|signing| signing.credential).unwrap_or_default();
            return ask(state, &name);
        }
        (Code::Char('q'), Some(Step::Failed(_))) => return cancel(state),
        _ => {}
    }
    state.dialog = Some((Dialog::SignIn, since));
    effects
}

/// The dialog was closed: whoever asked does not want to sign in any more.
pub(super) fn cancel(state: &mut State) -> Vec<Effect> {
    match state.signing.take() {
        Some(Signing { step: Step::Failed(_), .. }) | None => Vec::new(),
        Some(_) => {
            state.say("the sign-in was cancelled");
            vec![Effect::CancelSignIn]
        }
    }
}

/// Something was heard of a sign-in.
pub(super) fn told(state: &mut State, told: SignInTold) -> Vec<Effect> {
    match told {
        SignInTold::Code { ticket, user_code, uri, complete, life } => {
            let ends = state.now.after(life);
            if let Some(signing) = state.signing.as_mut().filter(|signing| signing.ticket == ticket) {
                signing.step = Step::Code(Invitation { user_code, uri, complete, ends });
            }
            Vec::new()
        }
        SignInTold::Done { ticket, outcome } => done(state, ticket, outcome),
        SignInTold::Kept(Ok(person)) => is_there(state, person.map(|person| *person)),
        SignInTold::Kept(Err(why)) => {
            let now = state.now;
            state.log.add(now, LogKind::Notice, why);
            is_there(state, None)
        }
        SignInTold::Out { credential, text, done } => {
            state.say(&text);
            let now = state.now;
            state.log.add(now, LogKind::Notice, text);
            let mut effects = poll_with(state, &credential);
            if done && state.launch.identity.as_deref() == Some(credential.as_str()) {
                effects.extend(is_there(state, None));
            }
            effects
        }
    }
}

fn done(state: &mut State, ticket: u64, outcome: Result<Box<Person>, String>) -> Vec<Effect> {
    let Some(signing) = state.signing.as_mut().filter(|signing| signing.ticket == ticket) else {
        return Vec::new();
    };
    let person = match outcome {
        Ok(person) => *person,
        Err(why) => {
            signing.step = Step::Failed(why);
            return Vec::new();
        }
    };
    state.signing = None;
    if matches!(state.dialog, Some((Dialog::SignIn, _))) {
        state.dialog = None;
    }
    let missing = if person.withheld.is_empty() {
        String::new()
    } else {
        format!("; the server did not grant {}", person.withheld.join(", "))
    };
    state.say(format!("signed in as {}{missing}", person.name));
    let mut effects = poll_with(state, &person.credential);
    if state.launch.identity.as_deref() == Some(person.credential.as_str()) {
        effects.extend(is_there(state, Some(person)));
    }
    effects
}

/// Who is at the keyboard from here on.
fn is_there(state: &mut State, person: Option<Person>) -> Vec<Effect> {
    let name = |person: &Option<Person>| {
        person.as_ref().filter(|person| person.is_signed_in()).map(|person| person.name.clone())
    };
    let (was, is) = (name(&state.person), name(&person));
    let ended = person.as_ref().and_then(|person| person.ended.clone());
    let same = state.person.as_ref().map(|p| (&p.issuer, &p.subject))
        == person.as_ref().map(|p| (&p.issuer, &p.subject));
    state.person = person;
    let now = state.now;
    let role = state.author.role.clone();
    if was == is && same {
        lose_role(state);
        return Vec::new();
    }
    super::ask::call_off(state, "who is at the keyboard has changed meanwhile");
    let Some(person) = state.person.as_ref().filter(|_| is.is_some()) else {
        state.author = Author { role, ..state.unsigned.clone() };
        let who = was.unwrap_or_default();
        let line = ended.map_or_else(|| format!("{who} is signed out"), |why| format!("{who}: {why}"));
        state.log.add(now, LogKind::Notice, line);
        return Vec::new();
    };
    let lost = role.as_ref().filter(|role| !person.may_act_as(role)).map(|role| person.without(role));
    let role = role.filter(|_| lost.is_none());
    state.author = Author { role, ..author(person) };
    let (line, credential) = (format!("signed in as {}", person.name), person.credential.clone());
    let remarks = person.remarks.clone();
    state.log.add(now, LogKind::Notice, line);
    for remark in remarks.into_iter().chain(lost) {
        state.log.add(now, LogKind::Notice, remark);
    }
    poll_with(state, &credential)
}

/// The author of what this person does, in no role yet.
pub fn author(person: &Person) -> Author {
    let subject = if person.subject.is_empty() { &person.name } else { &person.subject };
    Author::verified(&person.name, &person.issuer, subject)
}

/// Nobody goes on in a role that their issuer does not give them, or gives no more.
fn lose_role(state: &mut State) {
    let Some(person) = state.person.as_ref().filter(|person| person.is_signed_in()) else { return };
    let Some(role) = state.author.role.as_ref().filter(|role| !person.may_act_as(role)) else { return };
    let why = person.without(role);
    state.author.role = None;
    super::ask::call_off(state, &why);
    let now = state.now;
    state.log.add(now, LogKind::Notice, &why);
    state.say(why);
}

/// Sources that wait for a sign-in are asked at once.
fn poll_with(state: &State, credential: &str) -> Vec<Effect> {
    let of = |def: &&crate::model::SourceDef| def.credential.as_ref().is_some_and(|c| c.name == credential);
    state.launch.sources.iter().filter(of).map(|def| Effect::Poll(def.id.clone())).collect()
}
