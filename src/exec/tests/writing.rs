//! What programs write, and what is kept of it.

use std::fs;

use super::*;

#[tokio::test]
async fn both_streams_come_in_the_order_in_which_they_were_written() {
    let (outcome, output) = ran(&sh("for i in 1 2 3; do echo out $i; echo err $i >&2; done")).await;
    let want = "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n";
    assert_eq!((output.as_str(), outcome.tail.as_str()), (want, want));
    let hash = "sha256:273ddbb3a78f7497384e52077c47f4d3ca4329529b835e5090cf9d47db8ea68e";
    assert_eq!((outcome.output_bytes, outcome.output_sha256), (want.len() as u64, hash.to_owned()));
}

#[tokio::test]
async fn two_hundred_megabytes_stay_bounded_on_disk_and_are_all_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("000001.log");
    let job = sh("yes 'a line of a very talkative program' | head -c 200000000; echo; echo the end");
    let began = Instant::now();
    let (sizes, watched) = (dir.path().to_owned(), path.clone());
    let watching = tokio::spawn(async move {
        let mut most = 0;
        let mut newest = 0;
        loop {
            let all = fs::read_dir(&sizes).unwrap().flatten();
            most = most.max(all.filter_map(|e| e.metadata().ok()).map(|meta| meta.len()).sum::<u64>());
            newest += u64::from(tail(&watched, 400).is_ok_and(|text| text.contains("a line of a very talk")));
            if tail(&watched, 400).is_ok_and(|text| text.ends_with("the end\n")) {
                return (most, newest);
            }
            sleep(Duration::from_millis(10)).await;
        }
    });
    let outcome = program(&job, |name| std::env::var_os(name), &path, std::future::pending()).await;
    let took = began.elapsed();
    let (most, newest) = watching.await.unwrap();
    println!("200 MB in {took:?}, at most {most} bytes on disk, {newest} readings");
    assert_eq!(
        (outcome.status, outcome.output_bytes, outcome.unkept),
        (Status::Exited(0), 200_000_009, None)
    );
    assert!(most < 1_500_000 && newest > 2, "{most} bytes on disk, {newest} readings");
    assert!(took < Duration::from_secs(30), "{took:?}");
    let kept = fs::read_to_string(&path).unwrap();
    let left_out = 200_000_009 - HEAD - TAIL;
    assert!(kept.contains(&format!("\n… {left_out} bytes left out …\n")) && kept.ends_with("\nthe end\n"));
    assert!(outcome.tail.ends_with("\nthe end\n") && outcome.tail.len() == 4096);
}

#[tokio::test]
async fn output_is_read_while_the_program_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (path, go) = (dir.path().join("000001.log"), dir.path().join("go"));
    // It goes on only once somebody has read what it wrote, also where the line is not finished.
    let script = format!(
        "echo first; printf 'second: 50 %%'; while ! [ -e {} ]; do sleep 0.02; done; echo .",
        go.display()
    );
    let job = sh(&script);
    let reading = async {
        until("the output is there", || tail(&path, 100).is_ok_and(|t| t == "first\nsecond: 50 %")).await;
        fs::write(&go, "").unwrap();
    };
    let running = program(&job, |name| std::env::var_os(name), &path, std::future::pending());
    let (outcome, ()) = tokio::join!(running, reading);
    assert_eq!((outcome.status, outcome.tail.as_str()), (Status::Exited(0), "first\nsecond: 50 %.\n"));
}

#[tokio::test]
async fn a_secret_written_in_two_goes_reaches_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("000001.log");
    let script = r#"printf 'using %s' "${FLAG_TOKEN%en-17}"; sleep 0.3; echo "en-17."; printf 'Bear'; sleep 0.3
        echo 'er abcdef ok'; curl_says='authorization: Basic dXNl'; echo "> $curl_says" >&2; printf %s "$FLAG_TOKEN""#;
    let job = Job { env: vec!["FLAG_TOKEN".into()], ..sh(script) };
    let lookup = |name: &str| match name {
        "FLAG_TOKEN" => Some("tok-en-17".into()),
        name => std::env::var_os(name),
    };
    let (live, watched) = (dir.path().to_owned(), path.clone());
    let watching = async {
        until("the first piece is there", || tail(&watched, 99).is_ok_and(|t| t.starts_with("using"))).await;
        assert_eq!(
            fs::read_to_string(&watched).unwrap(),
            "using ",
            "the beginning of the token is held back"
        );
        assert_eq!(fs::read_dir(&live).unwrap().count(), 1);
    };
    let running = program(&job, lookup, &path, std::future::pending());
    let (outcome, ()) = tokio::join!(running, watching);
    let want = "using [redacted].\nBearer [redacted] ok\n> authorization: [redacted]\n[redacted]";
    assert_eq!((outcome.status, fs::read_to_string(&path).unwrap().as_str()), (Status::Exited(0), want));
    assert_eq!((outcome.tail.as_str(), outcome.output_bytes), (want, want.len() as u64));
}

#[cfg(target_os = "linux")] // others have no setsid(1)
#[tokio::test]
async fn somebody_who_left_the_group_with_the_pipe_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pids");
    let script = format!(
        "setsid sh -c 'echo $$ > {0}; exec sleep 600' & while ! [ -s {0} ]; do sleep 0.02; done; echo done",
        file.display()
    );
    let (outcome, output) = ran(&sh(&script)).await;
    assert_eq!((outcome.status, output.as_str()), (Status::Exited(0), "done\n"));
    let left = pids(&file, 1).await[0];
    assert!(runs(left), "a daemon that a command starts lives on");
    rustix::process::kill_process(left, rustix::process::Signal::KILL).unwrap();
}
