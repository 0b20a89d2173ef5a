"""The whole suite on one machine: Triton and the services as supervised processes."""

from shared.suite.errors import SuiteError
from shared.suite.ports import PortPlan
from shared.suite.supervisor import ProcessStatus, Suite

__all__ = ["PortPlan", "ProcessStatus", "Suite", "SuiteError"]
