//! Names that are the same in every local AWS, so that they are known before it runs.

/// The region of everything.
pub const REGION: &str = "us-east-1";

/// The account of everything: moto's.
pub const ACCOUNT: &str = "123456789012";

/// The ARN of a function.
#[must_use]
pub fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

/// The ARN of a state machine.
#[must_use]
pub fn state_machine_arn(name: &str) -> String {
    format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}")
}

/// The name in what Lambda takes for one: a name, an ARN or a part of one, with a qualifier or not.
pub(crate) fn function_name(given: &str) -> &str {
    let name = given.rsplit_once(":function:").map_or(given, |(_, name)| name);
    // `ACCOUNT:function:NAME` and `function:NAME` are names, too.
    let name = name.strip_prefix("function:").unwrap_or(name);
    name.split(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_found_by_all_its_names() {
        let arn = function_arn("plan");
        let qualified = format!("{arn}:$LATEST");
        for given in ["plan", "plan:1", &arn, &qualified, "123456789012:function:plan", "function:plan:live"]
        {
            assert_eq!(function_name(given), "plan", "{given}");
        }
    }
}
