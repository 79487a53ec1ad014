//! `gonogo checklist check`: everything that is wrong in a list and beside it, with its place.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::people::{BACK, LAUNCH};
use super::{Desk, desk};

fn check(desk: &Desk, text: &str, more: &[&str]) -> (i32, Value, String) {
    let file = desk.dir.path().join("checklists/list.toml");
    fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let args = [&["check", &file][..], more].concat();
    let (code, said, error) = desk.says(&args);
    (code, desk.json(&args), if code == 0 { said } else { error })
}

fn told(json: &Value) -> Vec<String> {
    let one = |f: &Value| {
        let file = Path::new(f["file"].as_str().unwrap()).file_name().unwrap().to_str().unwrap();
        format!(
            "{file}:{}:{}: {}: {}",
            f["line"],
            f["column"],
            f["key"].as_str().unwrap(),
            f["message"].as_str().unwrap()
        )
    };
    json["findings"].as_array().unwrap().iter().map(one).collect()
}

#[test]
fn all_that_a_list_names_is_looked_for_beside_it() {
    let desk = desk();
    let dir = desk.dir.path().join("checklists");
    let list = "schema = 1\nid = \"list\"\ntitle = \"A list\"\nrollback = \"back\"\n\n[[item]]\nid = \"tell\"\n\
                section = \"S\"\ntitle = \"Tell\"\nkind = \"message\"\nmessage = \"tell.md\"\nrunbook = \"stalled\"\n";
    let (code, json, error) = check(&desk, list, &[]);
    assert_eq!(code, 2);
    let found = told(&json);
    assert_eq!(found.len(), 3, "{found:#?}");
    for (line, key, words) in
        [(4, "rollback", "back.toml"), (11, "message", "tell.md"), (12, "runbook", "stalled.toml")]
    {
        let starts = format!("list.toml:{line}:");
        let one = found.iter().find(|one| one.starts_with(&starts)).unwrap_or_else(|| panic!("{found:#?}"));
        assert!(one.contains(key) && one.contains(words) && one.contains("there is no such file"), "{one}");
    }
    assert!(error.contains("3 things are wrong") && error.contains("list.toml:4:12: rollback"), "{error}");

    fs::write(dir.join("tell.md"), "Dear all,\nqueue: {{ signal(\"depth\" }}\n").unwrap();
    fs::write(dir.join("back.toml"), BACK.replace("kind = \"rollback\"\n", "")).unwrap();
    fs::write(dir.join("stalled.toml"), "schema = 1\nid = \"stuck\"\ntitle = \"T\"\n").unwrap();
    let found = told(&check(&desk, list, &[]).1);
    assert!(
        found.iter().any(|one| one.contains("back is a launch list, whose rules could block a rollback")),
        "{found:#?}"
    );
    assert!(found.iter().any(|one| one.contains("back needs the parameter flag")), "{found:#?}");
    assert!(
        found.iter().any(|one| one.starts_with("tell.md:2:") && one.contains("cannot be filled in")),
        "{found:#?}"
    );
    assert!(found.iter().any(|one| one.contains("stalled.toml")), "{found:#?}");

    fs::write(dir.join("tell.md"), "queue: {{ signal(\"depth\") }}\n").unwrap();
    fs::write(dir.join("back.toml"), BACK.replace("title = \"The flag\"", "default = \"x\"")).unwrap();
    let stalled = "schema = 1\nid = \"stalled\"\ntitle = \"T\"\nkind = \"runbook\"\n[[item]]\nid = \"a\"\nsection = \"S\"\ntitle = \"A\"\n";
    fs::write(dir.join("stalled.toml"), stalled).unwrap();
    let (code, json, said) = check(&desk, list, &[]);
    assert_eq!((code, &json["ok"], &json["findings"]), (0, &true.into(), &serde_json::json!([])), "{said}");
    assert!(said.contains("ok, a launch list of 1 item; no config was found"), "{said}");
}

#[test]
fn names_in_gates_are_looked_up_in_the_config() {
    let desk = desk();
    fs::write(desk.dir.path().join("checklists/back.toml"), BACK).unwrap();
    let config = desk.dir.path().join("tasks.toml");
    let text = "schema = 1\n[launch]\nproduct = \"T\"\nversion = \"1\"\nenvironment = \"e\"\n\
                [source.worker]\nkind = \"scrape\"\nurls = [\"http://127.0.0.1:1/m\"]\n\
                [[signal]]\nid = \"depths\"\nboard = \"queues\"\nsource = \"worker\"\nquery = \"d\"\n";
    fs::write(&config, text).unwrap();
    let config = config.display().to_string();
    let broken = desk.dir.path().join("broken.toml");
    fs::write(&broken, "schema = 1\n[launch]\nproduct = 1\n").unwrap();
    let (code, json, _) = check(&desk, BACK, &["--config", &broken.display().to_string()]);
    assert!(
        code == 2 && told(&json).iter().any(|one| one.starts_with("broken.toml:3:11: launch.product")),
        "a wrong config is told: {json}"
    );
    let list = LAUNCH.replacen("id = \"launch\"", "id = \"list\"", 1);
    assert_eq!(check(&desk, &list, &[]).0, 0, "without a config no name is looked up");
    let (code, json, _) = check(&desk, &list, &["--config", &config]);
    let found = told(&json);
    assert!(code == 2 && found.len() == 2, "{found:#?}");
    assert!(found.iter().all(|one| one.contains("depths")), "with the nearest: {found:#?}");
}

#[test]
fn the_shipped_lists_are_right_with_everything_beside_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let desk = desk();
    let config = root.join("config/tasks.toml").display().to_string();
    let lists: Vec<PathBuf> =
        fs::read_dir(root.join("checklists")).unwrap().map(|file| file.unwrap().path()).collect();
    let lists: Vec<&PathBuf> =
        lists.iter().filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    assert!(lists.len() > 5);
    for list in lists {
        let (code, _, error) = desk.says(&["check", &list.display().to_string(), "--config", &config]);
        assert_eq!(code, 0, "{error}");
    }
}
