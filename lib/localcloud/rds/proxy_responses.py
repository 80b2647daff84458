"""RDS Proxy on the wire."""

from __future__ import annotations

from moto.core.responses import ActionResult, EmptyResult
from moto.rds.exceptions import InvalidParameterValue, RDSClientError
from moto.rds.responses import RDSResponse

from localcloud.rds.binaries import PostgresUnusable
from localcloud.rds.checks import check_status, not_here
from localcloud.rds.pgbouncer import program
from localcloud.rds.proxies import Proxies, Proxy


class ProxyResponses(RDSResponse):
    proxies: Proxies  # set when the service is registered

    def create_db_proxy(self) -> ActionResult:
        if self.params["EngineFamily"] != "POSTGRESQL":
            raise not_here(f"proxies of {self.params['EngineFamily']}", "use POSTGRESQL")
        for auth in self.params["Auth"]:
            if auth.get("IAMAuth", "DISABLED") != "DISABLED":
                raise not_here("IAM authentication at a proxy", "use IAMAuth='DISABLED'")
            if not auth.get("SecretArn"):
                raise InvalidParameterValue("Auth needs the SecretArn of a database user")
        try:
            program()
            return self._answered(super().create_db_proxy)
        except PostgresUnusable as error:
            raise RDSClientError("InsufficientDBInstanceCapacity", str(error)) from None

    def register_db_proxy_targets(self) -> ActionResult:
        proxy = self._proxy()
        if self.params.get("DBClusterIdentifiers"):
            raise not_here("DB clusters", "name one in DBInstanceIdentifiers")
        names = self.params.get("DBInstanceIdentifiers", [])
        if len(names) != 1 or proxy.group.targets:
            raise InvalidParameterValue("A DB proxy has one DB instance as its target.")
        check_status(self.backend.describe_db_instances(names[0])[0], "available")
        return self._answered(super().register_db_proxy_targets)

    def deregister_db_proxy_targets(self) -> ActionResult | EmptyResult:
        return self._answered(super().deregister_db_proxy_targets)

    def describe_db_proxy_targets(self) -> ActionResult:
        self._proxy()
        return super().describe_db_proxy_targets()

    def describe_db_proxy_target_groups(self) -> ActionResult:
        self._proxy()
        return super().describe_db_proxy_target_groups()

    def modify_db_proxy_target_group(self) -> ActionResult:
        config = self.params.get("ConnectionPoolConfig", {})
        for name, least, most in (
            ("MaxConnectionsPercent", 1, 100),
            ("ConnectionBorrowTimeout", 0, 300),
        ):
            if name in config and not least <= int(config[name]) <= most:
                raise InvalidParameterValue(f"{name} must be between {least} and {most}.")
        return self._answered(super().modify_db_proxy_target_group)

    def delete_db_proxy(self) -> ActionResult:
        return self._answered(super().delete_db_proxy)

    def _answered(self, operation) -> ActionResult | EmptyResult:
        if "Auth" not in self.params:  # every operation but the one that creates it
            self._proxy()
        answer = operation()
        self.proxies.look()
        return answer

    def _proxy(self) -> Proxy:
        return self.backend.describe_db_proxies(self.params["DBProxyName"])[0]
