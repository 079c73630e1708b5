use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use goalpost_processes::{Launch, OrdinaryUser, Process, Signal, free_port};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::services;

const PATIENCE: Duration = Duration::from_secs(20);

/// nginx in front of several servers, in turn, as people run it.
///
/// A request goes on to the next server when one cannot be reached, breaks off or answers 503: except a POST that was
/// already sent, whose answer the client gets. None is given up for a while (`max_fails`), since nginx answers 502 of
/// its own once that happens to all, instead of the 503 of the last.
#[derive(Debug)]
pub struct Nginx {
    process: Process,
    folder: TempDir,
    port: u16,
}

impl Nginx {
    /// In front of the servers at these addresses (`IP:PORT`).
    pub async fn before<A: AsRef<str>>(nodes: &[A]) -> Self {
        let folder = TempDir::with_prefix("goalpost-nginx-").expect("a temporary folder");
        let port = free_port();
        let settings = folder.path().join("nginx.conf");
        fs::write(&settings, configuration(folder.path(), port, nodes)).expect("the folder is writable");
        let launch = Launch::new(services::nginx(), &folder.path().join("log")).arg("-c").arg(settings);
        let launch = launch.arg("-p").arg(folder.path()).args(["-e", "stderr"]).ends_by(Signal::SIGTERM);
        let mut this = Self { process: launch.start().expect("it starts"), folder, port };
        let answers = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                assert!(this.process.ended().is_none(), "it does not start: {}", this.process);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, answers).await.is_ok(),
            "it does not answer: {}",
            this.process
        );
        this
    }

    /// Where clients connect: `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Send what comes on new connections to these servers, as after a readiness check. Requests under way end where
    /// they are.
    pub async fn set_nodes<A: AsRef<str>>(&mut self, nodes: &[A]) {
        let settings = self.folder.path().join("nginx.conf");
        let workers = self.workers();
        fs::write(&settings, configuration(self.folder.path(), self.port, nodes))
            .expect("the folder is writable");
        self.process.send(Signal::SIGHUP);
        let taken_over = async {
            let is_old = |worker: &u32| workers.contains(worker);
            while self.workers().iter().all(is_old) || workers.iter().any(|worker| self.accepts(*worker)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, taken_over).await.is_ok(),
            "it keeps its settings: {}",
            self.process
        );
    }

    /// A line for each request: status, the servers that were tried, their statuses, the request.
    pub fn requests(&self) -> String {
        fs::read_to_string(self.folder.path().join("requests")).unwrap_or_default()
    }

    fn workers(&self) -> Vec<u32> {
        let pid = self.process.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Whether a worker has the socket that listens. All of them share it.
    fn accepts(&self, worker: u32) -> bool {
        let sockets = fs::read_to_string("/proc/net/tcp").expect("the kernel tells its sockets");
        let here = format!("0100007F:{:04X}", self.port);
        let socket = sockets.lines().find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            (fields[1] == here && fields[3] == "0A").then(|| format!("socket:[{}]", fields[9]))
        });
        let files = fs::read_dir(format!("/proc/{worker}/fd")).into_iter().flatten().filter_map(Result::ok);
        let mut files = files.filter_map(|file| fs::read_link(file.path()).ok());
        socket.is_some_and(|socket| files.any(|file| file.as_os_str() == socket.as_str()))
    }
}

fn configuration<A: AsRef<str>>(folder: &Path, port: u16, nodes: &[A]) -> String {
    // As root it would change to a user that cannot reach the folder.
    let user = if matches!(OrdinaryUser::if_root(), Ok(None)) { "" } else { "user root root;" };
    let servers = nodes.iter().fold(String::new(), |mut servers, node| {
        writeln!(servers, "        server {} max_fails=0;", node.as_ref())
            .expect("a string takes everything");
        servers
    });
    let folder = folder.display();
    format!(
        "daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
    log_format tried '$status [$upstream_addr] [$upstream_status] $request';
    access_log {folder}/requests tried;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream nodes {{
{servers}    }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 0;
        location / {{
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection '';
            proxy_connect_timeout 1s;
            proxy_next_upstream error timeout http_503;
            proxy_max_temp_file_size 0;
        }}
    }}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Node;

    /// Answers with its name, or with 503 while a file of that name is there.
    const NAMED: &str = "
import http.server, os, sys
name, folder = sys.argv[1:3]
class Named(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if os.path.exists(os.path.join(folder, name)) else 200)
        self.send_header('Content-Length', len(name))
        self.end_headers()
        self.wfile.write(name.encode())
    do_POST = do_GET
host, port = sys.argv[-1].split(':')
http.server.ThreadingHTTPServer((host, int(port)), Named).serve_forever()
";

    struct Setup {
        nginx: Nginx,
        nodes: Vec<Node>,
        folder: TempDir,
        http: reqwest::Client,
    }

    impl Setup {
        async fn new() -> Self {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let start =
                |name: &str| Node::of("python3").args(["-c", NAMED, name]).args([folder.path()]).start();
            let nodes: [Node; 2] = tokio::join!(start("one"), start("two")).into();
            let nginx = Nginx::before(&nodes.each_ref().map(Node::address)).await;
            let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
            Self { nginx, nodes: nodes.into(), folder, http }
        }

        async fn ask(&self, method: reqwest::Method) -> (u16, String) {
            let answer = self.http.request(method, self.nginx.url()).send().await.expect("nginx answers");
            (answer.status().as_u16(), answer.text().await.expect("a body"))
        }

        async fn get(&self) -> (u16, String) {
            self.ask(reqwest::Method::GET).await
        }

        fn overload(&self, name: &str) {
            fs::write(self.folder.path().join(name), "").expect("the folder is writable");
        }
    }

    fn ok(name: &str) -> (u16, String) {
        (200, name.to_owned())
    }

    #[tokio::test]
    async fn requests_take_turns_and_none_fails_when_a_server_is_killed() {
        let mut setup = Setup::new().await;
        let first = [setup.get().await, setup.get().await];
        assert!(first.contains(&ok("one")) && first.contains(&ok("two")), "{first:?}");
        setup.nodes[0].kill();
        for _ in 0..10 {
            assert_eq!(setup.ask(reqwest::Method::POST).await, ok("two"), "{}", setup.nginx.requests());
        }
    }

    #[tokio::test]
    async fn an_overloaded_server_is_passed_over_but_no_post_is_sent_twice() {
        let setup = Setup::new().await;
        setup.overload("one");
        for _ in 0..4 {
            assert_eq!(setup.get().await, ok("two"), "{}", setup.nginx.requests());
        }
        setup.overload("two");
        let (status, _) = setup.ask(reqwest::Method::POST).await;
        assert_eq!(status, 503, "{}", setup.nginx.requests());
        let requests = setup.nginx.requests();
        let post = requests.lines().last().expect("a line");
        assert!(!post.contains(','), "{post}");
    }

    #[tokio::test]
    async fn a_server_that_is_taken_out_gets_nothing_more() {
        let mut setup = Setup::new().await;
        let two = setup.nodes[1].address();
        setup.nginx.set_nodes(&[two]).await;
        for _ in 0..4 {
            assert_eq!(setup.get().await, ok("two"));
        }
    }

    #[tokio::test]
    async fn the_last_answer_is_handed_on_when_every_server_is_overloaded() {
        let setup = Setup::new().await;
        setup.overload("one");
        setup.overload("two");
        for _ in 0..6 {
            assert_eq!(setup.get().await.0, 503, "{}", setup.nginx.requests());
        }
    }
}
