use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionError;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use aws_sdk_sfn::types::ExecutionStatus;
use s3inv_pipeline::SdkConfig;
use s3inv_pipeline::fleet::{ErrorType, StepError};

/// The state machine whose executions the functions start and clean up after.
pub struct StateMachine<'a> {
    client: Client,
    arn: &'a str,
}

/// How an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It runs, or waits to be redriven.
    Running,
    /// It has done what it was started for.
    Succeeded,
    /// It failed, was stopped, or ran out of time.
    Failed,
    /// There is none of this name; there may have been, months ago.
    Unknown,
}

impl<'a> StateMachine<'a> {
    /// By its ARN.
    #[must_use]
    pub fn new(config: &SdkConfig, arn: &'a str) -> Self {
        Self { client: Client::new(config), arn }
    }

    /// Starts an execution, unless there is one of this name that has another input or has ended;
    /// whether it runs. One that runs with the same input is as good as started.
    pub async fn start(&self, name: &str, input: &str) -> Result<bool, StepError> {
        let start = self.client.start_execution().state_machine_arn(self.arn).name(name).input(input);
        match start.send().await {
            Ok(_) => Ok(true),
            Err(error) if is_there(&error) => Ok(false),
            Err(error) => Err(refused(name, &error)),
        }
    }

    /// How an execution stands.
    pub async fn status(&self, name: &str) -> Result<Status, StepError> {
        let arn = format!("{}:{name}", self.arn.replacen(":stateMachine:", ":execution:", 1));
        let described = match self.client.describe_execution().execution_arn(arn).send().await {
            Ok(described) => described,
            Err(error) if is_unknown(&error) => return Ok(Status::Unknown),
            Err(error) => return Err(refused(name, &error)),
        };
        Ok(match described.status() {
            ExecutionStatus::Succeeded => Status::Succeeded,
            ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted => Status::Failed,
            _ => Status::Running,
        })
    }
}

fn is_there<R>(error: &SdkError<StartExecutionError, R>) -> bool {
    matches!(error.as_service_error(), Some(StartExecutionError::ExecutionAlreadyExists(_)))
}

fn is_unknown<R>(error: &SdkError<DescribeExecutionError, R>) -> bool {
    matches!(error.as_service_error(), Some(DescribeExecutionError::ExecutionDoesNotExist(_)))
}

fn refused<E: ProvideErrorMetadata, R>(name: &str, error: &SdkError<E, R>) -> StepError {
    let (error_type, text) = match error.code() {
        Some(code) => {
            let passes = matches!(
                code,
                "ThrottlingException" | "ExecutionLimitExceeded" | "ServiceUnavailable" | "InternalFailure"
            );
            let error_type = if passes { ErrorType::Retryable } else { ErrorType::BadInput };
            (error_type, format!("{code}: {}", error.message().unwrap_or_default()))
        }
        None => (ErrorType::Retryable, "no answer of Step Functions".to_owned()),
    };
    StepError::new(error_type, format!("execution {name}: {text}"))
}
