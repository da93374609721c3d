//! A cluster of etcd on this machine, which ends with the test.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mcplexer_etcd::{Address, EtcdBackend};
use mcplexer_secrets::conformance::Handles;
use rustix::process::Pid;
use tempfile::TempDir;
use test_support::{Running, tool};

/// How long a cluster may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Cluster {
    nodes: Vec<Node>,
    names: AtomicU32,
    directory: TempDir,
    arguments: Vec<String>,
    /// What `etcdctl` needs to know.
    control: Vec<String>,
    setup: Setup,
}

/// How a cluster talks to its clients.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) scheme: &'static str,
    pub(crate) arguments: Vec<String>,
    pub(crate) control: Vec<String>,
}

pub(crate) struct Node {
    name: String,
    client: u16,
    peer: u16,
    process: Option<Running>,
}

/// Ports that nobody listens on.
fn free_ports(count: usize) -> Vec<u16> {
    let listen = |_| TcpListener::bind("127.0.0.1:0").unwrap();
    let listeners: Vec<_> = (0..count).map(listen).collect();
    let port = |it: &TcpListener| it.local_addr().unwrap().port();
    listeners.iter().map(port).collect()
}

impl Cluster {
    /// Starts a cluster; `None` if there is no etcd.
    pub(crate) fn start(nodes: usize) -> Option<Self> {
        Self::start_as(
            nodes,
            &Setup {
                scheme: "http",
                arguments: Vec::new(),
                control: Vec::new(),
            },
        )
    }

    /// Starts a cluster that is set up in another way.
    pub(crate) fn start_as(nodes: usize, setup: &Setup) -> Option<Self> {
        tool("etcd")?;
        tool("etcdctl")?;
        // Another program may take a port before the cluster does.
        let mut attempts = std::iter::repeat_with(|| Self::attempt(nodes, setup)).take(5);
        Some(attempts.find_map(|it| it).expect("a cluster begins"))
    }

    fn attempt(nodes: usize, setup: &Setup) -> Option<Self> {
        let ports = free_ports(nodes * 2);
        let node = |(number, ports): (usize, &[u16])| Node {
            name: format!("node{number}"),
            client: ports[0],
            peer: ports[1],
            process: None,
        };
        let nodes: Vec<_> = ports.chunks(2).enumerate().map(node).collect();
        let peer = |it: &Node| format!("{}=http://127.0.0.1:{}", it.name, it.peer);
        let peers: Vec<_> = nodes.iter().map(peer).collect();
        let arguments = vec![
            format!("--initial-cluster={}", peers.join(",")),
            "--initial-cluster-state=new".into(),
            "--log-level=error".into(),
        ];
        let arguments = arguments.into_iter().chain(setup.arguments.clone());
        let mut cluster = Self {
            nodes,
            names: AtomicU32::new(0),
            directory: tempfile::tempdir().unwrap(),
            arguments: arguments.collect(),
            control: setup.control.clone(),
            setup: setup.clone(),
        };
        for number in 0..cluster.nodes.len() {
            cluster.run(number);
        }
        cluster.begins().then_some(cluster)
    }

    fn run(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        let client = format!("{}://127.0.0.1:{}", self.setup.scheme, node.client);
        let peer = format!("http://127.0.0.1:{}", node.peer);
        let data = self.directory.path().join(&node.name);
        let log = std::fs::File::create(self.directory.path().join(format!("{}.log", node.name)));
        let mut command = Command::new("etcd");
        command
            .args(&self.arguments)
            .args(["--name", &node.name])
            .args(["--listen-client-urls", &client])
            .args(["--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer])
            .args(["--initial-advertise-peer-urls", &peer])
            .arg("--data-dir")
            .arg(data)
            .stdout(Stdio::null())
            .stderr(log.unwrap());
        node.process = Some(Running::start(&mut command).unwrap());
    }

    /// The number of the node that leads.
    pub(crate) fn leader(&self) -> usize {
        let until = Instant::now() + PATIENCE;
        loop {
            // A line for each node, in this order, that says in the fifth place whether it leads.
            let status = self.control(&["endpoint", "status", "--write-out=simple"]);
            let status = status.unwrap_or_default();
            let leads = |it: &str| it.split(", ").nth(4) == Some("true");
            if let Some(leader) = status.lines().position(leads) {
                return leader;
            }
            assert!(Instant::now() < until, "nobody leads: {status}");
        }
    }

    /// Starts a node again that was killed, and waits until it takes part.
    pub(crate) fn restart(&mut self, number: usize) {
        self.run(number);
        assert!(self.begins(), "a node does not begin again");
    }

    /// The process of a node.
    pub(crate) fn pid(&self, number: usize) -> Pid {
        Pid::from_child(self.nodes[number].process.as_ref().unwrap())
    }

    /// Waits until all nodes answer; `false` if one has ended.
    fn begins(&mut self) -> bool {
        let until = Instant::now() + PATIENCE;
        loop {
            let health = self.control(&["endpoint", "health", "--command-timeout=2s"]);
            if health.is_ok() {
                return true;
            }
            let process = |it: &mut Node| it.process.as_mut().unwrap().try_wait().unwrap();
            if self.nodes.iter_mut().any(|it| process(it).is_some()) {
                return false;
            }
            assert!(
                Instant::now() < until,
                "the cluster does not begin: {health:?}"
            );
        }
    }

    /// Tells `etcdctl` how to log in.
    pub(crate) fn log_in(&mut self, user: &str) {
        self.control.push(format!("--user={user}"));
    }

    /// The port of a node for its clients.
    pub(crate) fn port(&self, number: usize) -> u16 {
        self.nodes[number].client
    }

    pub(crate) fn endpoints(&self) -> String {
        let endpoint = |it: &Node| format!("127.0.0.1:{}", it.client);
        let all: Vec<_> = self.nodes.iter().map(endpoint).collect();
        all.join(",")
    }

    /// Runs `etcdctl` with all nodes. Returns what it printed.
    pub(crate) fn control(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new("etcdctl")
            .env("ETCDCTL_API", "3")
            .arg(format!("--endpoints={}", self.endpoints()))
            .args(&self.control)
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(text(&output.stderr)),
        }
    }

    /// Ends all leases, as if nobody had renewed them.
    pub(crate) fn revoke_leases(&self) {
        let leases = self.control(&["lease", "list"]).unwrap();
        for lease in leases
            .lines()
            .filter(|it| it.chars().all(|it| it.is_ascii_hexdigit()))
        {
            // One may have ended by itself.
            let _ended = self.control(&["lease", "revoke", lease]);
        }
    }

    /// The address of a store.
    pub(crate) fn address(&self, prefix: &str) -> Address {
        let address = format!("etcd://{}/{prefix}?tls=off", self.endpoints());
        address.parse().unwrap()
    }

    pub(crate) fn open(&self, prefix: &str) -> EtcdBackend {
        EtcdBackend::new(self.address(prefix), None).unwrap()
    }

    /// A place that was never used.
    pub(crate) fn new_prefix(&self) -> String {
        format!("store{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// Handles on a place that was never used.
    pub(crate) fn handles(&self) -> Box<Handles> {
        let address = self.address(&self.new_prefix());
        Box::new(move || Box::new(EtcdBackend::new(address.clone(), None).unwrap()))
    }
}
