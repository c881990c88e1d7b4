//! `client_ca`: who comes over TLS shows a certificate that is signed by those, and a token besides.

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustix::process::Signal;
use tm_tests::{
    api::{self, Api},
    daemon::binary,
    lab::Lab,
};

use crate::{ended::Ended, profile, serve};

/// Who signs clients' certificates: its own, and one with its key that it has signed, all in PEM.
fn authority() -> (String, String) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let own = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let mut client = CertificateParams::new(vec!["client".to_owned()]).unwrap();
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    let signed = client.signed_by(&key, &issuer).unwrap();
    (own, signed.pem() + &key.serialize_pem())
}

#[test]
fn who_shows_no_certificate_of_the_authority_is_not_heard() {
    let lab = Lab::new().unwrap();
    let ((ca, client), (other_ca, other_client)) = (authority(), authority());
    let mut daemon = serve(&lab, api::LISTEN, &profile("web", "192.0.2.10"));
    let token = Api::token(&lab, &daemon, &["--scope", "read"]).unwrap();
    // Once it listens.
    Api::with_token(&mut daemon, &token).unwrap();
    for (file, text) in
        [("ca.pem", &ca), ("client.pem", &client), ("other.pem", &other_client), ("token", &token)]
    {
        daemon.write(file, text).unwrap();
    }
    let dir = daemon.directory().to_owned();
    let path = |file: &str| dir.join(file).display().to_string();
    let (certificate, token) = (path("state/tls/cert.pem"), path("token"));
    let list = |more: &[&str]| {
        let mut command = lab.server(&binary("tm").unwrap().to_string_lossy());
        command
            .args(["profile", "list", "--server", "https://127.0.0.1:8443", "--ca", &certificate])
            .args(more);
        let ended = Ended::of(&mut command);
        (ended.code, ended.out.contains("web.tm.example"))
    };
    let [client, other] = ["client.pem", "other.pem"].map(path);
    let with_token = ["--token-file", &token];
    let with = |file: &str| list(&[&with_token[..], &["--client-cert", file]].concat());
    assert_eq!(list(&with_token), (Some(0), true), "nothing is wanted yet");

    let node = format!("{}{}client_ca = \"{{dir}}/ca.pem\"\n", crate::NODE, api::LISTEN);
    daemon.write("tm.toml", &node).unwrap();
    daemon.wait_for("the authority", |line| line.contains("the API shows another certificate"));
    assert_eq!(list(&with_token), (Some(6), false));
    assert_eq!(with(&other), (Some(6), false));
    assert_eq!(with(&client), (Some(0), true));
    // It is no token.
    assert_eq!(list(&["--client-cert", &client]), (Some(5), false));

    // Another authority takes the place of the first without a restart, and one that is none does not.
    daemon.write("ca.pem", "nothing").unwrap();
    daemon.signal(Signal::HUP).unwrap();
    daemon
        .wait_for("the refusal", |line| line.contains("ca.pem") && line.contains("has no certificate in it"));
    assert_eq!((with(&client), with(&other)), ((Some(0), true), (Some(6), false)));
    daemon.write("ca.pem", &other_ca).unwrap();
    daemon.signal(Signal::HUP).unwrap();
    daemon.wait_for("the other authority", |line| line.contains("the API shows another certificate"));
    assert_eq!((with(&client), with(&other)), ((Some(6), false), (Some(0), true)));
    // Who may open the socket needs neither.
    assert_eq!(Ended::of(&mut daemon.tm(&lab, &["profile", "list"]).unwrap()).code, Some(0));
}
