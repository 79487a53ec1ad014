//! The layers point one way: this table is the design, and every path in `src/` is held against it.
//!
//! Files are read as tokens, so that comments and strings do not count and macros do. A path counts
//! wherever it stands, not only in `use`; `super::` is followed up to the root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Room, and the rooms it may import.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("promql", &["model"]),
    ("engine", &["model", "promql"]),
    ("checklist", &["model"]),
    ("settings", &["model", "promql", "checklist"]),
    ("http", &["model"]),
    ("sources", &["model", "promql", "http"]),
    ("ledger", &["model", "checklist"]),
    ("exec", &["model"]),
    ("app", &["model", "promql", "engine", "checklist"]),
    ("ui", &["model", "engine", "checklist", "app"]),
    ("drill", &["model", "checklist", "settings"]),
    (
        "runtime",
        &[
            "model",
            "promql",
            "engine",
            "checklist",
            "settings",
            "http",
            "sources",
            "ledger",
            "exec",
            "app",
            "ui",
            "drill",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "promql",
            "engine",
            "checklist",
            "settings",
            "http",
            "sources",
            "ledger",
            "exec",
            "app",
            "ui",
            "drill",
            "runtime",
        ],
    ),
];

/// What only some files may name: a process, a socket, a file.
const KEPT: &[(&str, &[&str], &[&str])] = &[
    ("starts a process", &["process::Command"], &["exec"]),
    (
        "opens a socket",
        &["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "reqwest::Client", "reqwest::get"],
        &["http", "drill"],
    ),
    (
        "touches files",
        &["std::fs", "tokio::fs", "File::open", "File::create", "OpenOptions"],
        // http reads certificates and token files; the terminal is a file; commands read what users name;
        // a scrape source's history outlives a restart in a file of the state directory; a command's
        // output and claim are files that outlive its screen.
        &[
            "ledger",
            "settings",
            "sources/capture",
            "sources/scrape/store",
            "http",
            "exec/claim",
            "exec/kept",
            "exec/tail",
            "runtime/tty",
            "runtime/screen",
            "cli",
        ],
    ),
];

#[derive(Debug)]
struct SourceFile {
    /// `sources/exposition/reader.rs`.
    name: String,
    /// The modules it is: `["sources", "exposition", "reader"]`.
    module: Vec<String>,
    tokens: TokenStream,
}

impl SourceFile {
    fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }
}

fn files() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                let mut module: Vec<String> =
                    name.trim_end_matches(".rs").split('/').map(ToOwned::to_owned).collect();
                module.retain(|part| part != "mod" && part != "lib" && part != "main");
                let text = fs::read_to_string(&path).unwrap();
                let tokens = text.parse().unwrap_or_else(|e| panic!("{name}: {e}"));
                found.push(SourceFile { name, module, tokens });
            }
        }
    }
    found
}

/// Every path of identifiers in the tokens, groups opened: `use a::{b, c::d}` gives `a::b` and `a::c::d`.
fn paths(tokens: &TokenStream, module: &[String], out: &mut Vec<(Vec<String>, Vec<String>)>) {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut i = 0;
    while i < trees.len() {
        match &trees[i] {
            TokenTree::Ident(first) => {
                let mut path = vec![first.to_string()];
                i += 1;
                while is_colons(&trees, i) {
                    match trees.get(i + 2) {
                        Some(TokenTree::Ident(next)) => {
                            path.push(next.to_string());
                            i += 3;
                        }
                        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                            let mut inner = Vec::new();
                            paths(&group.stream(), module, &mut inner);
                            for (_, tail) in inner {
                                out.push((module.to_vec(), path.iter().cloned().chain(tail).collect()));
                            }
                            i += 3;
                        }
                        _ => break,
                    }
                }
                let inline = path == ["mod"];
                out.push((module.to_vec(), path));
                // `mod name { … }` is one level deeper for `super`.
                if inline
                    && let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                        (trees.get(i), trees.get(i + 1))
                {
                    let deeper: Vec<String> = module.iter().cloned().chain([name.to_string()]).collect();
                    paths(&body.stream(), &deeper, out);
                    i += 2;
                }
            }
            TokenTree::Group(group) => {
                paths(&group.stream(), module, out);
                i += 1;
            }
            _ => i += 1,
        }
    }
}

fn is_colons(trees: &[TokenTree], i: usize) -> bool {
    let colon = |at| matches!(trees.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':');
    colon(i) && colon(i + 1)
}

/// The room that a path leads to, where it leads to one.
fn room_of(module: &[String], path: &[String]) -> Option<String> {
    if path[0] == "crate" {
        return path.get(1).cloned();
    }
    let ups = path.iter().skip(usize::from(path[0] == "self")).take_while(|p| *p == "super").count();
    if ups == 0 || ups < module.len() {
        return None;
    }
    path.iter().find(|p| *p != "super" && *p != "self").cloned()
}

fn arrows(files: &[SourceFile]) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut arrows: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for file in files.iter().filter(|f| !f.module.is_empty()) {
        let mut found = Vec::new();
        paths(&file.tokens, &file.module, &mut found);
        for (module, path) in found {
            if let Some(to) = room_of(&module, &path).filter(|to| *to != file.room()) {
                arrows.entry((file.room().to_owned(), to)).or_default().insert(file.name.clone());
            }
        }
    }
    arrows
}

#[test]
fn every_arrow_between_rooms_is_in_the_table() {
    let files = files();
    let table: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for ((from, to), names) in arrows(&files) {
        let allowed =
            table.get(from.as_str()).unwrap_or_else(|| panic!("{from} is not a room of the design"));
        if table.contains_key(to.as_str()) && !allowed.contains(&to.as_str()) {
            wrong.push(format!("{from} → {to} in {names:?}"));
        }
    }
    assert!(wrong.is_empty(), "forbidden arrows:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_circle_and_every_room_is_in_it() {
    let mut above = BTreeSet::new();
    for (room, below) in LAYERS {
        assert!(below.iter().all(|b| above.contains(b)), "{room} imports a room that stands after it");
        above.insert(*room);
    }
    let rooms: BTreeSet<String> =
        files().iter().filter(|f| f.name.contains('/')).map(|f| f.room().to_owned()).collect();
    let table: BTreeSet<String> = LAYERS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rooms, table);
}

#[test]
fn processes_sockets_and_files_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for file in files().iter().filter(|f| !f.module.is_empty()) {
        let mut found = Vec::new();
        paths(&file.tokens, &file.module, &mut found);
        for (what, names, homes) in KEPT {
            let at_home = homes.iter().any(|home| file.name.starts_with(home));
            let tested = file.module.last().is_some_and(|m| m.starts_with("test"));
            for (module, path) in &found {
                let path = path.join("::");
                let named = names.iter().any(|n| {
                    path == *n
                        || path.contains(&format!("{n}::"))
                        || path.ends_with(&format!("::{n}"))
                        || path.starts_with(&format!("{n}::"))
                });
                if named && !at_home && !tested && !module.iter().any(|m| m == "tests") {
                    wrong.push(format!("{} {what}: {path}", file.name));
                }
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "not the business of these files:\n{}", wrong.join("\n"));
}

#[test]
fn a_forbidden_arrow_is_found_wherever_it_stands() {
    for text in [
        "use crate::ui::view;",
        "use crate::{model::Time, ui};",
        "fn f() { crate::ui::view(); }",
        "fn f() { println!(\"{}\", crate::ui::NAME); }",
        "use super::super::ui::view;",
        "mod tests { use super::super::super::ui::view; }",
        "fn f(x: super::super::ui::Theme) {}",
    ] {
        let module = vec!["model".to_owned(), "time".to_owned()];
        let file = SourceFile { name: "model/time.rs".into(), module, tokens: text.parse().unwrap() };
        assert!(arrows(&[file]).contains_key(&("model".into(), "ui".into())), "{text}");
    }
    let module = vec!["model".to_owned(), "time".to_owned()];
    let tokens = "// crate::ui\n fn f() { let _ = \"crate::ui\"; super::labels::x(); }".parse().unwrap();
    let file = SourceFile { name: "model/time.rs".into(), module, tokens };
    assert!(arrows(&[file]).is_empty());
}
