//! The log as systemd's journal is given it: with a field for each value, where standard error is the journal's.

use std::os::unix::net::UnixDatagram;

use tm_tests::{DEADLINE, daemon::binary, lab::Lab};

use crate::{NODE, profile};

#[test]
fn under_systemd_the_log_goes_to_the_journal() {
    let lab = Lab::new().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    std::fs::create_dir_all(path("conf.d")).unwrap();
    std::fs::create_dir_all(path("journal")).unwrap();
    std::fs::create_dir_all(path("bpf")).unwrap();
    let node = NODE.replace("{dir}", &path("")).replace("{bpf}", &path("bpf")) + "mode = \"off\"\n";
    std::fs::write(path("tm.toml"), node).unwrap();
    std::fs::write(path("conf.d/web.toml"), profile("web", "192.0.2.10")).unwrap();
    let journal = UnixDatagram::bind(path("journal/socket")).unwrap();
    journal.set_read_timeout(Some(DEADLINE)).unwrap();

    // In a place of its own where the journal is, as systemd starts it: with standard error named.
    let script = "mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/journal && \
        mount --bind \"$1/journal\" /run/systemd/journal && \
        JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr) exec \"$2\" serve --config \"$1\"";
    let stderr = std::fs::File::create(path("stderr")).unwrap();
    let mut daemon = lab
        .server("unshare")
        .args(["--mount", "sh", "-c", script, "sh", &path("")])
        .arg(binary("tm").unwrap())
        .stderr(stderr)
        .spawn()
        .unwrap();
    let mut octets = vec![0; 65_536];
    let mut entries = vec![];
    loop {
        let length = journal.recv(&mut octets).unwrap_or_else(|error| {
            let said = std::fs::read_to_string(path("stderr"));
            panic!("{error}; so far {entries:#?}; standard error: {said:?}")
        });
        let entry = String::from_utf8_lossy(&octets[..length]).into_owned();
        let is_last = entry.contains("MESSAGE\n\u{5}\0\0\0\0\0\0\0ready\n");
        entries.push(entry);
        if is_last {
            break;
        }
    }
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    // The first is empty: whether anybody is there.
    let identifier = "SYSLOG_IDENTIFIER\n\u{2}\0\0\0\0\0\0\0tm\n";
    assert!(entries[1..].iter().all(|entry| entry.contains(identifier)), "{entries:#?}");
    let answering = |entry: &&String| entry.contains("answering") && entry.contains("10.53.0.1:53");
    let entry = entries.iter().find(answering).unwrap_or_else(|| panic!("{entries:#?}"));
    assert!(entry.contains("ADDRESS\n") && entry.contains("TRANSPORT\n"), "a field each: {entry}");
    assert_eq!(std::fs::read_to_string(path("stderr")).unwrap(), "", "nothing is said twice");
}
