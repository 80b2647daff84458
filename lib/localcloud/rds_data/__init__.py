"""RDS Data API: SQL over HTTPS, executed by the PostgreSQL of an Aurora cluster.

What is answered, and in which words, follows Data API for Aurora Serverless v2 and provisioned
clusters (Aurora User Guide, "Using the Amazon RDS Data API"), not that of Serverless v1.
"""

import moto.rdsdata.urls as urls

from localcloud.rds.instances import Instances
from localcloud.rds_data.responses import Responses
from localcloud.rds_data.sessions import Sessions
from localcloud.rds_data.transactions import Transactions

OPERATIONS = ("Execute", "BatchExecute", "BeginTransaction", "CommitTransaction", "ExecuteSql")


class RdsData:
    def __init__(self, instances: Instances):
        self._sessions = Sessions(instances)
        self._transactions = Transactions(self._sessions)

    def register(self) -> None:
        """Take the Data API over in moto. Call it before the first backend exists."""
        Responses.sessions = self._sessions
        Responses.transactions = self._transactions
        for operation in (*OPERATIONS, "RollbackTransaction"):
            urls.url_paths[f"{{0}}/{operation}$"] = Responses.dispatch

    def start(self) -> None:
        self._transactions.start()

    def stop(self) -> None:
        """Roll back what is open, and close every connection."""
        self._transactions.end()
        self._sessions.end()
