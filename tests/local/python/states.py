"""What Step Functions does and moto's interpreter doesn't."""

import datetime
import sys
import threading
import time
import types

from moto.core.config import default_user_config
from moto.stepfunctions.parser.asl.utils import boto_client

# State machines are run, and not only kept.
default_user_config["stepfunctions"] = {"execute_state_machine": True}

# The interpreter wants one name of Batch's, which would load all of EC2: a second.
for name in ["moto.batch", "moto.batch.utils"]:
    sys.modules[name] = types.ModuleType(name)
sys.modules["moto.batch.utils"].JobStatus = types.SimpleNamespace(SUCCEEDED="SUCCEEDED", FAILED="FAILED")

# Each worker of a Map goes one deeper with each item.
sys.setrecursionlimit(100_000)
threading.stack_size(64 << 20)

# A client takes 20 ms to make, and making two at once isn't safe; using one is.
make_client, clients, making = boto_client.boto_client_for, {}, threading.Lock()


def client_for(region, service, state_credentials=None):
    with making:
        if (region, service) not in clients:
            clients[region, service] = make_client(region=region, service=service)
        return clients[region, service]


# Before the interpreter is imported, which takes the function by its name.
boto_client.boto_client_for = client_for

from moto.stepfunctions.parser.api import (  # noqa: E402
    ExecutionFailedEventDetails,
    ExecutionStatus,
    HistoryEventType,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (  # noqa: E402
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (  # noqa: E402
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (  # noqa: E402
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor import (  # noqa: E402
    distributed_item_processor_worker,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails  # noqa: E402
from moto.stepfunctions.parser.asl.eval.program_state import ProgramError  # noqa: E402
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication  # noqa: E402
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker  # noqa: E402
from moto.stepfunctions.responses import StepFunctionResponse  # noqa: E402

# A Map fails with the first item beyond what it tolerates, and starts no more; one that was stopped
# starts no more, either. moto goes on, and succeeds.
MapWorker = distributed_item_processor_worker.DistributedItemProcessorWorker
evaluate_item = MapWorker._eval_job


def map_failure(env, error_type, cause):
    error = StatesErrorName(typ=error_type)
    details = ExecutionFailedEventDetails(error=error.error_name, cause=cause)
    event = FailureEvent(
        env=env,
        error_name=error,
        event_type=HistoryEventType.ExecutionFailed,
        event_details=EventDetails(executionFailedEventDetails=details),
    )
    return FailureEventException(failure_event=event)


def tolerates(record):
    failed, total = record.execution_counter.failed.get(), record.execution_counter.total.get()
    percent = record.tolerated_failure_percentage or 0
    return failed <= (record.tolerated_failure_count or 0) or (percent and failed * 100 <= percent * total)


def evaluate_item_or_fail(self, env, job):
    if not self._env.is_running():
        job.job_output = map_failure(env, StatesErrorNameType.StatesTaskFailed, "The execution has ended")
        return
    evaluate_item(self, env, job)
    if isinstance(env.program_state(), ProgramError) and not tolerates(self._map_run_record):
        cause = "The specified tolerated failure threshold was exceeded"
        job.job_output = map_failure(env, StatesErrorNameType.StatesExceedToleratedFailureThreshold, cause)


MapWorker._eval_job = evaluate_item_or_fail

# A stopped execution is ABORTED at once; moto waits for the functions that it called.
stop_execution = StepFunctionResponse.stop_execution
stop_worker = ExecutionWorker.stop
terminated = BaseExecutionWorkerCommunication.terminated
ending = threading.Lock()


def stop_worker_that_starts(self, *args, **kwargs):
    while self.env is None:
        time.sleep(0.001)
    stop_worker(self, *args, **kwargs)


def stop_at_once(self):
    answer = stop_execution(self)
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    with ending:
        if execution.exec_status == ExecutionStatus.RUNNING:
            execution.stop_date = datetime.datetime.now(tz=datetime.timezone.utc)
            execution.error = self._get_param("error")
            execution.cause = self._get_param("cause")
            execution.exec_status = ExecutionStatus.ABORTED
    return answer


def terminated_once(self):
    with ending:
        if self.execution.exec_status == ExecutionStatus.RUNNING:
            terminated(self)


ExecutionWorker.stop = stop_worker_that_starts
StepFunctionResponse.stop_execution = stop_at_once
BaseExecutionWorkerCommunication.terminated = terminated_once
