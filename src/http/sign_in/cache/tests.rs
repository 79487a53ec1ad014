//! Who may read what is kept, and what is refused.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::http::sign_in::tests::def;

fn kept() -> Kept {
    Kept {
        access: Some("s3cret-access".into()),
        refresh: Some("s3cret-refresh".into()),
        got: Time::from_millis(1_000_000),
        life: Some(Duration::from_secs(300)),
        openid: true,
        ..Kept::default()
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_sign_in_is_kept_for_this_user_alone_and_read_back() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::new(&home.path().join("state/sign-in"), "me", &def());
    assert!(cache.read().unwrap().is_none());
    cache.write(&kept()).unwrap();
    assert_eq!((mode(&home.path().join("state/sign-in")), mode(cache.path())), (0o700, 0o600));
    let back = cache.read().unwrap().unwrap();
    assert_eq!(back.refresh.unwrap().expose_secret(), "s3cret-refresh");
    assert_eq!(back.life, Some(Duration::from_secs(300)));
    let other = SignInDef { resource: Some("https://api.example.com".into()), ..def() };
    assert_ne!(cache.path(), Cache::new(&home.path().join("state/sign-in"), "me", &other).path());
    assert!(cache.forget().unwrap() && !cache.forget().unwrap());
}

#[test]
fn what_others_could_read_or_have_made_is_refused_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("sign-in");
    let cache = Cache::new(&dir, "me", &def());
    cache.write(&kept()).unwrap();
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let said = || cache.read().err().map(|fault| fault.text).unwrap_or_default();
    for bad in [0o644, 0o640, 0o602, 0o660] {
        set(cache.path(), bad);
        let text = said();
        assert!(text.contains(&format!("mode {bad:04o}")) && text.contains("chmod 600 "), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
    set(cache.path(), 0o600);
    set(&dir, 0o755);
    assert!(said().contains("chmod 700 "), "{}", said());
    assert!(cache.write(&kept()).unwrap_err().text.contains("chmod 700 "));
    assert!(cache.try_lock().unwrap_err().text.contains("chmod 700 "));
    set(&dir, 0o700);
    assert_eq!(said(), "");
    let elsewhere = home.path().join("elsewhere");
    fs::rename(cache.path(), &elsewhere).unwrap();
    symlink(&elsewhere, cache.path()).unwrap();
    assert!(said().contains("symbolic link"), "{}", said());
    fs::remove_file(cache.path()).unwrap();
    fs::write(cache.path(), "{\"form\":1,\"access\":\"s3cret").unwrap();
    set(cache.path(), 0o600);
    assert!(said().contains("damaged") && !said().contains("s3cret"), "{}", said());
    let linked = home.path().join("linked");
    symlink(&dir, &linked).unwrap();
    let text = Cache::new(&linked, "me", &def()).read().err().unwrap().text;
    assert!(text.contains("symbolic link"), "{text}");
}

#[test]
fn what_another_user_owns_is_refused() {
    // Only root can give a file away.
    if me() != 0 {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("sign-in");
    let cache = Cache::new(&dir, "me", &def());
    cache.write(&kept()).unwrap();
    std::os::unix::fs::chown(cache.path(), Some(65_534), None).unwrap();
    assert!(cache.read().err().unwrap().text.contains("belongs to another user: remove it"));
    fs::remove_file(cache.path()).unwrap();
    std::os::unix::fs::chown(&dir, Some(65_534), None).unwrap();
    assert!(cache.read().err().unwrap().text.contains("belongs to another user: remove it"));
}

#[test]
fn what_a_process_left_unfinished_is_removed_and_what_another_is_writing_is_not() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("sign-in");
    let cache = Cache::new(&dir, "me", &def());
    cache.write(&kept()).unwrap();
    let [old, new] = [".tmp-old", ".tmp-new"].map(|name| dir.join(name));
    for path in [&old, &new] {
        fs::write(path, "s3cret").unwrap();
    }
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
    cache.write(&kept()).unwrap();
    assert_eq!((old.exists(), new.exists()), (false, true));
}

#[test]
fn one_at_a_time_holds_the_lock() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::new(&home.path().join("sign-in"), "me", &def());
    let lock = cache.try_lock().unwrap().unwrap();
    assert!(cache.try_lock().unwrap().is_none());
    drop(lock);
    assert!(cache.try_lock().unwrap().is_some());
}

#[test]
fn a_clock_that_was_set_never_makes_a_token_live_longer() {
    let left = |now: i64| kept().left(Time::from_millis(now)).unwrap().as_secs();
    assert_eq!(left(1_000_000), 300);
    assert_eq!(left(1_100_000), 200);
    assert_eq!(left(9_000_000), 0);
    // A little behind: another machine's clock on a shared home; far behind: it was set back.
    assert_eq!(left(990_000), 300);
    assert_eq!(left(100_000), 0);
}
