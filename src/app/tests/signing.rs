//! Signing in and out from the room.

use std::time::Duration;

use super::*;
use crate::app::signing::Step;
use crate::model::Person;
use crate::model::credential::{CredentialDef, CredentialKind, Flow, SignInDef};
use crate::model::launch::Route;

fn device(name: &str) -> CredentialDef {
    let server = SignInDef {
        flow: Flow::Device,
        issuer: "https://id.example.com".into(),
        client_id: "gonogo".into(),
        client_secret: None,
        scopes: Vec::new(),
        resource: None,
        audience: None,
        roles: Some("/roles".into()),
        name: None,
        role_names: BTreeMap::new(),
        ca_file: None,
        route: Route::default(),
        allow_http: false,
    };
    CredentialDef { name: name.into(), kind: CredentialKind::SignIn(Box::new(server)) }
}

fn person(name: &str) -> Person {
    Person {
        credential: "me".into(),
        name: name.into(),
        issuer: "https://id.example.com".into(),
        subject: "u1".into(),
        claimed: vec!["captain".into()],
        roles: vec!["captain".into()],
        tells_roles: true,
        scopes: Vec::new(),
        withheld: vec!["audit:read".into()],
        expires: None,
        clock_offset: None,
        remarks: Vec::new(),
        ended: None,
    }
}

/// A room whose source waits for a sign-in.
fn signed_out() -> State {
    let mut launch = launch();
    launch.credentials = BTreeMap::from([("me".to_owned(), device("me"))]);
    launch.identity = Some("me".into());
    launch.sources[0].credential = Some(device("me"));
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let mut state = State::new(Arc::new(launch), None, keymap, at(0));
    state.author = Author { role: Some("qa".into()), ..Author::unverified("ana") };
    state.unsigned = state.author.clone();
    state
}

fn begun(state: &mut State) -> u64 {
    match press(state, "S").as_slice() {
        [Effect::SignIn { credential, ticket }] if credential.name == "me" => *ticket,
        other => panic!("{other:?}"),
    }
}

fn code(ticket: u64) -> Msg {
    Msg::SignIn(SignInTold::Code {
        ticket,
        user_code: "ABCD-EFGH".into(),
        uri: "https://id.example.com/device".into(),
        complete: None,
        life: Duration::from_mins(10),
    })
}

#[test]
fn a_person_signs_in_and_everything_is_theirs_from_then_on() {
    let mut state = signed_out();
    let ticket = begun(&mut state);
    update(&mut state, code(ticket));
    let copied = press(&mut state, "y");
    assert!(matches!(copied.as_slice(), [Effect::Copy(text)] if text == "https://id.example.com/device"));
    assert!(matches!(state.dialog, Some((Dialog::SignIn, _))), "it stays open");
    let done = SignInTold::Done { ticket, outcome: Ok(Box::new(person("ada"))) };
    let effects = update(&mut state, Msg::SignIn(done));
    assert!(effects.iter().any(|e| matches!(e, Effect::Poll(id) if id.as_str() == "worker")), "{effects:?}");
    assert!(state.dialog.is_none() && state.signing.is_none());
    assert_eq!(state.notice.as_deref(), Some("signed in as ada; the server did not grant audit:read"));
    assert_eq!((state.author.by.as_str(), &state.author.role), ("ada", &None), "qa is not a role of hers");
    assert!(!state.author.is_unverified());

    press(&mut state, ": a s space q a enter");
    assert!(state.notice.as_ref().unwrap().contains("ada may not act as qa"), "{:?}", state.notice);
    press(&mut state, ": a s space c a p t a i n enter");
    assert_eq!(state.author.role.as_deref(), Some("captain"));
}

#[test]
fn leaving_the_dialog_stops_the_sign_in_and_what_comes_late_is_of_no_account() {
    for leave in ["esc", "ctrl-c"] {
        let mut state = signed_out();
        let ticket = begun(&mut state);
        update(&mut state, code(ticket));
        assert!(matches!(press(&mut state, leave).as_slice(), [Effect::CancelSignIn]), "{leave}");
        let late = SignInTold::Done { ticket, outcome: Ok(Box::new(person("ada"))) };
        assert!(update(&mut state, Msg::SignIn(late)).is_empty());
        assert!(state.person.is_none() && state.author.is_unverified());
    }
}

#[test]
fn a_sign_in_that_fails_says_why_and_can_be_tried_again() {
    let mut state = signed_out();
    let ticket = begun(&mut state);
    let failed = SignInTold::Done { ticket, outcome: Err("the code has expired: sign in again".into()) };
    update(&mut state, Msg::SignIn(failed));
    let step = state.signing.as_ref().map(|signing| &signing.step);
    assert!(matches!(step, Some(Step::Failed(why)) if why.contains("expired")));
    let again = press(&mut state, "r");
    assert!(matches!(again.as_slice(), [Effect::SignIn { ticket: new, .. }] if *new != ticket), "{again:?}");
}

#[test]
fn a_sign_in_of_another_terminal_is_noticed_and_so_is_its_end() {
    let mut state = signed_out();
    let kept = |person| Msg::SignIn(SignInTold::Kept(Ok(Some(Box::new(person)))));
    assert!(!update(&mut state, kept(person("ada"))).is_empty(), "sources are polled at once");
    assert!(update(&mut state, kept(person("ada"))).is_empty(), "nothing is new");
    let over = Person { ended: Some("the sign-in has ended".into()), ..person("ada") };
    update(&mut state, kept(over));
    assert_eq!(state.author, Author { role: None, ..Author::unverified("ana") });
    assert_eq!(state.person.as_ref().map(|p| p.name.as_str()), Some("ada"), "the header says whose it was");
    let out = SignInTold::Out { credential: "me".into(), text: "signed out of me".into(), done: true };
    update(&mut state, Msg::SignIn(out));
    assert!(state.person.is_none());
}

#[test]
fn where_nobody_can_sign_in_or_several_can_it_is_said() {
    let mut state = room();
    assert!(press(&mut state, "S").is_empty());
    assert!(state.notice.as_ref().unwrap().contains("no credential of kind device"));
    let mut state = signed_out();
    let mut launch = (*state.launch).clone();
    launch.credentials.insert("other".into(), device("other"));
    launch.identity = None;
    state.launch = Arc::new(launch);
    assert!(press(&mut state, "S").is_empty());
    assert_eq!(state.notice.as_deref(), Some("say which: :sign-in me, :sign-in other"));
    let named = press(&mut state, ": s i g n - i n space o t h e r enter");
    assert!(
        matches!(named.as_slice(), [Effect::SignIn { credential, .. }] if credential.name == "other"),
        "{named:?}"
    );
}
