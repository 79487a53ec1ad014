//! Ten processes share one rotating sign-in.

use std::process::Stdio;

use super::{Home, Issuer, said};

const PROCESSES: usize = 10;
const ROUNDS: u64 = 50;

#[test]
fn ten_processes_share_a_rotating_token_and_refresh_it_once_each_time() {
    let Some(issuer) = Issuer::start(&[]) else { return };
    let home = Home::new(&issuer.config(""));
    home.sign_in(|code| issuer.approve(code));
    for round in 1..=ROUNDS {
        // All of them find a token that has ended, at the same moment.
        home.age();
        let all: Vec<_> = (0..PROCESSES)
            .map(|_| home.gonogo(&["sources"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        for one in all {
            let output = one.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(0), "round {round}: {}", said(&output));
        }
        assert_eq!(issuer.count("refresh_token"), round);
        assert_eq!(issuer.count("invalid_grant"), 0, "round {round}");
    }
}
