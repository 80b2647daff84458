"""The DB instances of a home: what moto records of each, and the PostgreSQL behind it."""

from pathlib import Path
from typing import Any

import moto.rds.models as moto_rds

from localcloud.authority import Authority
from localcloud.home import Home, make_enterable
from localcloud.rds import parameters, tokens
from localcloud.rds.configuration import Configuration
from localcloud.rds.directory import Directory, check_of
from localcloud.rds.keeper import Keeper
from localcloud.rds.placing import PlaceOfPeer, admits
from localcloud.rds.postgres import Plan, Postgres

# Both by this name too: state that is already on disk names them here.
from localcloud.rds.records import Instance, ManagedSecret  # noqa: F401
from localcloud.storage import Storage

PROXIES = ".proxies"  # beside the instances, whose names begin with a letter
CLUSTERS = ".clusters"
OTHERS = (PROXIES, CLUSTERS)


class Instances:
    """Every instance's keeper, by account, region and identifier."""

    def __init__(self, home: Home):
        self._home = home
        self.place_of_peer: PlaceOfPeer = lambda peer_port, port: None
        self._authority: Authority | None = None
        self._directory: Directory | None = None
        self._keepers: dict[Path, Keeper] = {}
        self._storage: Storage | None = None

    def resume(self, storage: Storage) -> None:
        """Take up every recorded instance where the last server left it."""
        self._storage = storage
        recorded = set()
        for _, _, backend in list(moto_rds.rds_backends.iter_backends()):
            for instance in list(backend.databases.values()):
                if isinstance(instance, Instance):
                    recorded.add(self._folder(instance))
                    self._resume(instance)
        for folder in self._home.rds.iterdir():
            if folder.is_dir() and folder not in recorded and folder.name not in OTHERS:
                self._home.say(f"{folder} belongs to no DB instance: move or remove it")

    def _resume(self, instance: Instance) -> None:
        keeper = self._keep(instance)
        try:
            created = keeper.postgres.plan.created
        except (OSError, ValueError, TypeError) as error:
            keeper.fail(f"its folder {keeper.postgres.folder} is damaged: {error}")
            return
        if instance.status == "deleting":
            self._delete(keeper)
        elif not created:
            keeper.create()
        elif instance.status in ("stopping", "stopped"):
            instance.status = "stopped"
        else:
            keeper.start_up()

    def create(self, instance: Instance, plan: Plan) -> None:
        self._postgres(instance).prepare(plan)
        self._keep(instance).create()

    def delete(self, instance: Instance) -> None:
        self._delete(self.keeper(instance))

    # ------------------------------------------------------------------ clusters
    def prepare_cluster(self, cluster: Any, plan: Plan) -> None:
        """Make the folder of a cluster. Raises PostgresUnusable."""
        make_enterable(self._home.rds / CLUSTERS)
        self._of_cluster(cluster).prepare(plan)

    def plan_of(self, cluster: Any) -> Plan:
        return self._of_cluster(cluster).plan

    def create_member(self, member: Instance) -> None:
        """Run PostgreSQL on a cluster's data, which the first member makes."""
        keeper = self._keep(member)
        if keeper.postgres.plan.created:
            keeper.start_up("creating")
        else:
            keeper.create()

    def remove_cluster(self, cluster: Any) -> None:
        """Remove its data, once a member that is being deleted is gone."""
        keeper = self._keepers.get(self._cluster_folder(cluster.db_cluster_identifier))
        if keeper:
            keeper.thread.join()
        self._of_cluster(cluster).remove()

    def _of_cluster(self, cluster: Any) -> Postgres:
        folder = self._cluster_folder(cluster.db_cluster_identifier)
        return Postgres(folder, self.authority(), lambda peer_port: False)

    def _cluster_folder(self, name: str) -> Path:
        return self._home.rds / CLUSTERS / name

    def _delete(self, keeper: Keeper) -> None:
        instance = keeper.instance

        def forget() -> None:
            instance.backend.databases.pop(instance.db_instance_identifier, None)
            self._keepers.pop(self._folder(instance), None)

        keeper.gone = forget
        keeper.delete()

    def keeper(self, instance: Instance) -> Keeper:
        return self._keepers[self._folder(instance)]

    def end(self) -> None:
        keepers = list(self._keepers.values())
        for keeper in keepers:
            keeper.end()
        for keeper in keepers:
            keeper.thread.join()

    def _keep(self, instance: Instance) -> Keeper:
        folder = self._folder(instance)
        keeper = Keeper(
            instance, self._postgres(instance), lambda: self._configuration(instance), self._save
        )
        self._keepers[folder] = keeper
        keeper.thread.start()
        return keeper

    def _postgres(self, instance: Instance) -> Postgres:
        def admitted(peer_port: int) -> bool:
            return admits(instance, peer_port, self.place_of_peer)

        return Postgres(self._folder(instance), self.authority(), admitted)

    def reload(self, group: str) -> None:
        """Have the instances of a parameter group follow a change of it."""
        for keeper in list(self._keepers.values()):
            if group in {held.name for held in keeper.instance.db_parameter_groups()}:
                keeper.reload()

    def _configuration(self, instance: Instance) -> Configuration:
        wanted = parameters.values(instance)
        rule = None
        if instance.iam_database_authentication_enabled:
            if self._directory is None:
                self._directory = Directory(check_of(self._by_resource, tokens.check))
            rule = self._directory.rule(instance.dbi_resource_id)
        return Configuration(wanted, parameters.forces_ssl(wanted), rule)

    def _by_resource(self, resource_id: str) -> Instance | None:
        found = (keeper.instance for keeper in list(self._keepers.values()))
        return next((held for held in found if held.dbi_resource_id == resource_id), None)

    def _save(self) -> None:
        self._storage.save_backends()

    def authority(self) -> Authority:
        if self._authority is None:
            self._authority = Authority(self._home.rds, "Drydock local RDS CA")
        return self._authority

    def _folder(self, instance: Instance) -> Path:
        if instance.keeps_data:
            return self._cluster_folder(instance.db_cluster_identifier)
        return self._home.rds / instance.db_instance_identifier.lower()
