//! Starting a bootstrap as Lambda starts it.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::caller::Caller;
use crate::config::Function;
use crate::log_file::LogFile;
use crate::names::REGION;

/// Where a process finds those it talks to.
pub(crate) struct Ports {
    pub(crate) runtime: u16,
    pub(crate) front: u16,
}

/// Starts one in a process group. It has nothing of this process's environment but `PATH`.
pub(crate) fn start(function: &Function, ports: &Ports, group: i32) -> io::Result<Child> {
    let root = function.binary.parent().unwrap_or(Path::new("/"));
    let mut command = Command::new(&function.binary);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(lambda_variables(function, ports)).env("LAMBDA_TASK_ROOT", root);
    command.envs(&function.environment).current_dir(root).process_group(group).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn()
}

fn lambda_variables(function: &Function, ports: &Ports) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{}", ports.runtime)),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
    ];
    variables.extend(client_variables(ports.front));
    variables
}

/// What makes AWS's command line and SDKs use a front.
pub(crate) fn client_variables(front: u16) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{front}")),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_SESSION_TOKEN", "test".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
}

/// Writes what a process prints to its function's log, until it has ended.
pub(crate) async fn keep_log<R: AsyncRead + Unpin>(output: R, caller: Arc<Caller>, log: Arc<LogFile>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        log.line(&caller.request_id(), String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
}
