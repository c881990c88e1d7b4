//! The daemon with services to pick from and a user to sign in as, and what scripts ask beside that.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context as _, Result, bail, ensure};
use tm_tests::{
    daemon::Daemon,
    endpoint::FakeEndpoint,
    lab::{Lab, SERVER_V4},
    query::{Query, qtype},
    resolver::{self, Resolver},
    script::{self, Endpoints},
};

const NODE: &str = r#"
name_servers = ["ns1.tm.example"]
state_dir = "{dir}/state"
[[zone]]
name = "tm.example"
[[zone]]
name = "shop.example"
[listen]
pins = "{bpf}/tm"
interfaces = [{interfaces}]
[api]
listen = "127.0.0.1:8443"
[samples]
one_in = 1
[geo]
database = "{places}"
"#;

/// Where clients are.
const DATABASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tm-userspace/tests/geo/places.mmdb");

/// Endpoints: what scripts call them, the last octet of the address (10.53.0.x), and the service that runs there.
const SERVICES: [(&str, u8, &str, &str, &str); 5] = [
    ("us", 11, "contoso-us", "cloud_service", "East US"),
    ("europe", 12, "contoso-europe", "cloud_service", "West Europe"),
    ("asia", 13, "contoso-asia", "cloud_service", "Southeast Asia"),
    ("virginia", 21, "pip-virginia", "public_ip", "East US"),
    ("amsterdam", 22, "pip-amsterdam", "public_ip", "West Europe"),
];

/// Somebody else's profile, in a file.
const TAKEN: &str = "[[profile]]\nname = \"taken\"\nrouting_method = \"priority\"\n\
                     [[profile.endpoint]]\nname = \"only\"\ntarget = \"192.0.2.1\"\nalways_serve = true\n";

/// One browser at a time: several leave each other, and the probes, too little of a small machine.
static TURN: Mutex<()> = Mutex::new(());

/// All of it.
pub(crate) struct Scene {
    _turn: MutexGuard<'static, ()>,
    daemon: Daemon,
    endpoints: Endpoints,
    lab: Lab,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::within(Lab::new().unwrap(), "", "\"tm0\"")
    }

    fn within(lab: Lab, profiles: &str, interfaces: &str) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let endpoint = |name: &&'static str, host: u8| {
            let endpoint = FakeEndpoint::on_client(&lab, [10, 53, 0, host].into()).unwrap();
            endpoint.set_page(&format!("<title>{name}</title><h1>This is {name}</h1>"));
            (*name, endpoint)
        };
        let endpoints = SERVICES.iter().map(|(name, host, ..)| endpoint(name, *host)).collect();
        let service = |(_, host, name, kind, location): &(&str, u8, &str, &str, &str)| {
            format!(
                "[[service]]\nname = \"{name}\"\nkind = \"{kind}\"\ntarget = \"10.53.0.{host}\"\nlocation = \"{location}\"\n"
            )
        };
        let services: String = SERVICES.iter().map(service).collect();
        let node = NODE.replace("{places}", DATABASE).replace("{interfaces}", interfaces);
        let profiles = format!("{TAKEN}{profiles}");
        let files =
            [("tm.toml", &*node), ("conf.d/services.toml", &services), ("conf.d/profiles.toml", &profiles)];
        let mut daemon = Daemon::start(&lab, &files).unwrap();
        daemon.wait_for("the API", |line| line.contains("the API listens"));
        let scene = Scene { _turn: turn, daemon, endpoints, lab };
        let created =
            tm(&scene.daemon, &scene.lab, &["user", "create", "eve", "--scope", "admin"], "correct horse");
        assert_eq!(created.unwrap(), "eve: created\n");
        scene
    }

    /// Puts so many profiles into a file, each of one endpoint that is always served: `profile-00000` and so on.
    pub(crate) fn add(&self, profiles: usize) {
        let text: String = (0..profiles)
            .map(|number| {
                format!(
                    "[[profile]]\nname = \"profile-{number:05}\"\nrouting_method = \"priority\"\n\
                     [[profile.endpoint]]\nname = \"only\"\ntarget = \"192.0.2.1\"\nalways_serve = true\n"
                )
            })
            .collect();
        self.daemon.write("conf.d/many.toml", &text).unwrap();
    }

    /// Runs a script to its end.
    pub(crate) fn run(&mut self, script: &str) {
        let command = script::node(&self.lab, "browser", &format!("portal/{script}"));
        self.play(command);
    }

    /// Runs a script to its end before these profiles, with its browser on the public's host and behind a caching resolver, for which www.contoso.com is the profile `contoso`.
    pub(crate) fn visit(script: &str, profiles: &str) {
        let lab = Lab::new().unwrap();
        let alias = "www IN CNAME contoso.tm.example.";
        let _resolver = Resolver::start(&lab, &[("contoso.com", alias)]).unwrap();
        let interfaces = format!("\"tm0\", \"{}\"", resolver::SERVER_INTERFACE);
        let mut scene = Self::within(lab, profiles, &interfaces);
        let file = scene.daemon.directory().join("resolv.conf");
        fs::write(&file, format!("nameserver {}\n", resolver::ADDRESS)).unwrap();
        let node = script::node(&scene.lab, "browser", &format!("portal/{script}"));
        // Programs look up names by the file of that name: here it is another one for the browser alone.
        let inside = "mount --bind \"$0\" /etc/resolv.conf && exec node \"$1\"";
        let mut command = scene.lab.client("unshare");
        command.args(["--mount", "sh", "-c", inside]).arg(file).args(node.get_args().last());
        command.envs(node.get_envs().filter_map(|(name, value)| Some((name, value?))));
        scene.play(command);
    }

    fn play(&mut self, mut command: Command) {
        let Scene { daemon, endpoints, lab, .. } = self;
        command.env("TM_PICTURES", script::workspace().join("target/portal"));
        let more = |word: &str, rest: &str| match word {
            "tm" => {
                let words: Vec<String> = serde_json::from_str(rest)?;
                let said = tm(daemon, lab, &words.iter().map(String::as_str).collect::<Vec<_>>(), "")?;
                Ok(serde_json::to_string(&said)?)
            }
            "turns" => turns(lab, rest).map(|()| String::new()),
            "dig" => dig(lab, rest).map(|()| String::new()),
            "password" => tm(daemon, lab, &["user", "password", "eve"], rest).map(|_| String::new()),
            "kill" => daemon.kill().map(|()| String::new()),
            "restart" => {
                daemon.restart(lab)?;
                daemon.wait_for("the API", |line| line.contains("the API listens"));
                Ok(String::new())
            }
            _ => bail!("nobody knows `{word}`"),
        };
        script::run(lab, &mut command, endpoints, more).unwrap();
    }
}

/// `COUNT NAME = ADDRESS TIMES, ...`: who answers when it is asked so often, and how often each.
fn turns(lab: &Lab, question: &str) -> Result<()> {
    let (asked, expected) = question.split_once(" = ").context("write COUNT NAME = ADDRESS TIMES, ...")?;
    let (count, name) = asked.split_once(' ').context("write COUNT NAME")?;
    let mut asker = lab.asker(SERVER_V4.into())?;
    let mut seen = BTreeMap::<String, u32>::new();
    for _ in 0..count.parse()? {
        let answer = asker.ask(&Query::new(&format!("{name}.tm.example"), qtype::A))?;
        let last = answer.answers.last().map(|record| record.data.to_string());
        *seen.entry(last.unwrap_or_default()).or_default() += 1;
    }
    let seen: Vec<_> = seen.iter().map(|(address, times)| format!("{address} {times}")).collect();
    ensure!(seen.join(", ") == expected, "DNS says {seen:?}");
    Ok(())
}

/// `NETWORK NAME = ADDRESS`: who answers clients of that network.
fn dig(lab: &Lab, question: &str) -> Result<()> {
    let words: Vec<&str> = question.split_whitespace().collect();
    let [network, name, "=", expected] = words[..] else { bail!("write NETWORK NAME = ADDRESS") };
    let (name, subnet) = (format!("{name}.tm.example"), format!("+subnet={network}"));
    let said = lab.answers(&["@10.53.0.1", &name, "+short", &subnet])?;
    ensure!(said == expected, "DNS says {said}");
    Ok(())
}

/// What `tm` prints, with this on standard input.
fn tm(daemon: &Daemon, lab: &Lab, words: &[&str], input: &str) -> Result<String> {
    let mut child =
        daemon.tm(lab, words)?.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    child.stdin.take().context("tm has no input")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "tm {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
