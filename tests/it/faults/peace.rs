//! A server that asks for peace has it, whoever asks for a number meanwhile.

use std::path::Path;
use std::sync::Arc;

use gonogo::app::Msg;
use gonogo::model::{FaultCode, Polled, SourceId};
use gonogo::runtime::{Clock, Feed};
use gonogo::settings;
use tokio::sync::mpsc::{Receiver, channel};

use crate::http::canned::{Canned, answer};

async fn polled(messages: &mut Receiver<Msg>) -> Box<Polled> {
    loop {
        match messages.recv().await {
            Some(Msg::Polled(polled)) => return polled,
            Some(_) => {}
            None => panic!("nothing polls any more"),
        }
    }
}

#[tokio::test]
async fn a_server_that_asks_for_peace_is_not_asked_by_a_key_either_and_the_key_is_told_why() {
    let server = Canned::always(answer(429, "Retry-After: 600\r\n", ""));
    let url = server.url("/metrics");
    let text = format!(
        "schema = 1\n[launch]\nproduct = \"Ward\"\nversion = \"1\"\nenvironment = \"production\"\n\
         [source.busy]\nkind = \"scrape\"\nurls = [\"{url}\"]\nevery = \"1s\"\n"
    );
    let (launch, _) = settings::parse("ward.toml", &text, Path::new(""), None).unwrap();
    let (room, mut messages) = channel(64);
    let polls = Feed::Polling(None).start(&Arc::new(launch), &Clock::wall(), room).unwrap();
    let first = polled(&mut messages).await;
    assert_eq!(first.outcome.unwrap_err().code, FaultCode::RateLimited);
    for _ in 0..3 {
        polls.ask(&SourceId::new("busy"));
        let told = polled(&mut messages).await.outcome.unwrap_err();
        assert_eq!(told.text, "asked too often, again in 10m");
    }
    assert_eq!(server.seen().len(), 1);
}
