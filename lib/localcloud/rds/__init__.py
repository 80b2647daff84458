"""RDS for PostgreSQL, really: started, secured and reachable behind create_db_instance.

So is Aurora PostgreSQL behind create_db_cluster with a writer.
"""

import moto.rds.models as models
import moto.rds.urls as urls

from localcloud.home import Home
from localcloud.rds.clusters import Cluster, Member
from localcloud.rds.instances import Instances
from localcloud.rds.placing import PlaceOfPeer
from localcloud.rds.proxies import Proxies, Proxy, Target
from localcloud.rds.records import Instance, ManagedSecret
from localcloud.rds.responses import Responses
from localcloud.storage import Storage


class Rds:
    def __init__(self, home: Home):
        self.instances = Instances(home)
        self._proxies = Proxies(home, self.instances)

    def register(self) -> None:
        """Take RDS over in moto. Call it before the first backend exists."""
        Responses.instances = self.instances
        Responses.proxies = self._proxies
        models.DBProxy = Proxy
        models.DBProxyTarget = Target
        models.DBInstance = Instance
        models.DBCluster = Cluster
        models.DBInstanceClustered = Member
        models.MasterUserSecret = ManagedSecret
        urls.url_paths["{0}/$"] = Responses.dispatch

    def start(self, storage: Storage, place_of_peer: PlaceOfPeer) -> None:
        """Start the databases that were available when the last server ended."""
        self.instances.place_of_peer = place_of_peer
        self.instances.resume(storage)
        self._proxies.start()

    def stop(self) -> None:
        self._proxies.end()
        self.instances.end()
