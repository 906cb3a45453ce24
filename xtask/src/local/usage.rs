use super::delivery::Delivered;
use super::names::{INDEXES, SCRATCH, build_arn};
use super::running::Running;

/// Says how a local AWS is used.
pub(super) fn print(state: &Running, how: &str) {
    println!("{}", text(state, how));
}

fn text(state: &Running, how: &str) -> String {
    let Running { endpoint, environment, state_machines, functions, logs, .. } = state;
    let exports: Vec<_> = environment.iter().map(|(name, value)| format!("export {name}={value}")).collect();
    let arns = state_machines.values().chain(functions.values());
    let arns: Vec<_> = arns.map(|arn| format!("    {arn}")).collect();
    let build = build_arn();
    let (manifest, folder) = (Delivered::manifest(), Delivered::index_folder());
    format!(
        "\
A local AWS: {how}, at {endpoint}
Logs of its functions: {logs}

For the AWS CLI, SDKs and s3inv-index, in a shell:

{exports}

It has
{arns}

and an inventory, whose delivery has started the first build:

    aws stepfunctions list-executions --state-machine-arn {build}
    aws s3 ls --recursive s3://{INDEXES}/
    s3inv-index query --index s3://{INDEXES}/{folder} --prefix pool/main/l/linux/ --show-tiers

Another one, of the same inventory:

    aws stepfunctions start-execution --name again --state-machine-arn {build} \\
        --input '{{\"manifest\": \"{manifest}\", \"options\": {{\"replace\": true}}}}'
    aws lambda invoke --function-name trigger --cli-binary-format raw-in-base64-out \\
        --payload '{{\"manifest\": \"{manifest}\"}}' /dev/stdout
    aws s3 ls --recursive s3://{SCRATCH}/

(s3inv-index without installing it: cargo run --release --)
Stop it: cargo xtask local down",
        logs = logs.display(),
        exports = exports.join("\n"),
        arns = arns.join("\n"),
    )
}
