//! Who is there and who may do what: names, links, locks and limits.
//!
//! A Manager has one broker. It holds facts and decides; it sees no bytes that it need not see, and makes no words, since
//! the drive keeps it in a mutex that every request takes for a look-up. `H` is the handle of a mailbox.
//!
//! The rules are those of docs/wire.md, sections 3, 5 and 7. The one that is easy to get wrong: links and locks belong to
//! connections, not to names, so that a name that is used again inherits nothing.

mod census;
mod denied;

pub use census::{Census, ClientEntry, Holders, ServiceEntry};
pub(crate) use denied::Attempt;
pub use denied::Denied;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::identity::{Identity, Role};
use crate::mailbox::ConnectionId;
use crate::name::{Address, NetworkName};

/// The facts of one Manager.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct Broker<H> {
    clients: BTreeMap<ConnectionId, Client<H>>,
    services: BTreeMap<Arc<str>, Service<H>>,
    /// The name of each service, by its connection.
    service_names: BTreeMap<ConnectionId, Arc<str>>,
    /// Every network name in use: replies carry nothing else to say whom they are for.
    network_names: BTreeSet<NetworkName>,
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
struct Client<H> {
    entry: Arc<ClientEntry>,
    mailbox: H,
    links: BTreeSet<Arc<str>>,
}

#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
struct Service<H> {
    connection: ConnectionId,
    entry: Arc<ServiceEntry>,
    mailbox: H,
    links: BTreeSet<ConnectionId>,
    locks: BTreeSet<ConnectionId>,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route<H> {
    /// The service's connection.
    pub service: ConnectionId,
    /// Its mailbox.
    pub mailbox: H,
}

impl<H: Clone> Broker<H> {
    /// A Manager that nobody is connected to.
    pub fn new() -> Self {
        Self {
            clients: BTreeMap::new(),
            services: BTreeMap::new(),
            service_names: BTreeMap::new(),
            network_names: BTreeSet::new(),
        }
    }

    /// A device has said who it is: it gets its network name, unless another service has its name.
    ///
    /// Where the network name is in use (two computers with the same host name), the IP address takes the place of
    /// the host name.
    ///
    /// # Errors
    /// [`Denied::NameTaken`], [`Denied::NetworkNameTaken`].
    pub fn join(
        &mut self,
        connection: ConnectionId,
        identity: &Identity,
        address: &Address,
        ip: IpAddr,
        mailbox: H,
    ) -> Result<NetworkName, Denied> {
        let name: Arc<str> = Arc::from(identity.name.as_str());
        if identity.is_service() && self.services.contains_key(&name) {
            return Err(Denied::NameTaken);
        }
        let candidates = [address.clone(), Address::from_ip(ip, address.port)];
        let free = candidates.into_iter().find_map(|address| {
            let network_name = NetworkName::new(&identity.name, &address);
            (!self.network_names.contains(&network_name)).then_some((network_name, address))
        });
        let (network_name, address) = free.ok_or(Denied::NetworkNameTaken)?;
        self.network_names.insert(network_name.clone());
        let (language, os) = (identity.language.clone(), identity.os.clone());
        match &identity.role {
            Role::Client => {
                let entry = ClientEntry { network_name: network_name.clone(), name, address, language, os };
                self.clients
                    .insert(connection, Client { entry: Arc::new(entry), mailbox, links: BTreeSet::new() });
            }
            Role::Service { attributes, max_clients } => {
                let entry = ServiceEntry {
                    network_name: network_name.clone(),
                    name: name.clone(),
                    attributes: attributes.clone(),
                    address,
                    language,
                    os,
                    max_clients: *max_clients,
                };
                self.service_names.insert(connection, name.clone());
                self.services.insert(
                    name,
                    Service {
                        connection,
                        entry: Arc::new(entry),
                        mailbox,
                        links: BTreeSet::new(),
                        locks: BTreeSet::new(),
                    },
                );
            }
        }
        Ok(network_name)
    }

    /// A device leaves: its name is free, a client's links and locks end, and those with a service end too.
    /// No harm if it was not there.
    pub fn leave(&mut self, connection: ConnectionId) {
        if let Some(client) = self.clients.remove(&connection) {
            self.network_names.remove(&client.entry.network_name);
            for name in &client.links {
                if let Some(service) = self.services.get_mut(name) {
                    service.links.remove(&connection);
                    service.locks.remove(&connection);
                }
            }
        }
        if let Some(name) = self.service_names.remove(&connection)
            && let Some(service) = self.services.remove(&name)
        {
            self.network_names.remove(&service.entry.network_name);
            for client in service.links {
                if let Some(client) = self.clients.get_mut(&client) {
                    client.links.remove(&name);
                }
            }
        }
    }

    /// Links a client with a service. Linked already: the same again, also while the service is locked.
    ///
    /// # Errors
    /// [`Denied::NoSuchService`], [`Denied::Locked`], [`Denied::Full`], [`Denied::NotAClient`].
    pub fn link(&mut self, client: ConnectionId, service: &str) -> Result<Arc<ServiceEntry>, Denied> {
        let linking = self.clients.get_mut(&client).ok_or(Denied::NotAClient)?;
        let (name, found) = service_mut(&mut self.services, service)?;
        if !found.links.contains(&client) {
            if !found.locks.is_empty() {
                return Err(Denied::Locked);
            }
            if found.is_full() {
                return Err(Denied::Full(self.linked(service)));
            }
            found.links.insert(client);
            linking.links.insert(name);
        }
        Ok(found.entry.clone())
    }

    /// Ends a link, and the client's lock with it. No error where the service has gone.
    ///
    /// # Errors
    /// [`Denied::NotLinked`].
    pub fn unlink(&mut self, client: ConnectionId, service: &str) -> Result<(), Denied> {
        let Some(found) = self.services.get_mut(service) else { return Ok(()) };
        if !found.links.remove(&client) {
            return Err(Denied::NotLinked);
        }
        found.locks.remove(&client);
        if let Some(client) = self.clients.get_mut(&client) {
            client.links.remove(service);
        }
        Ok(())
    }

    /// Takes a lock: from now on nobody else can link. Returns the clients linked with the service.
    ///
    /// # Errors
    /// [`Denied::NoSuchService`], [`Denied::NotLinked`]; [`Denied::NotAlone`] for an exclusive lock while there are
    /// other links.
    pub fn acquire_lock(
        &mut self,
        client: ConnectionId,
        service: &str,
        shared: bool,
    ) -> Result<Vec<NetworkName>, Denied> {
        let (_, found) = service_mut(&mut self.services, service)?;
        if !found.links.contains(&client) {
            return Err(Denied::NotLinked);
        }
        if !shared && found.links.len() > 1 {
            return Err(Denied::NotAlone(self.linked(service)));
        }
        found.locks.insert(client);
        Ok(self.linked(service))
    }

    /// Gives a lock back; no error where the client held none. Returns the clients that still hold one.
    ///
    /// # Errors
    /// [`Denied::NoSuchService`].
    pub fn release_lock(&mut self, client: ConnectionId, service: &str) -> Result<Vec<NetworkName>, Denied> {
        let (_, found) = service_mut(&mut self.services, service)?;
        found.locks.remove(&client);
        Ok(self.network_names(&self.services[service].locks))
    }

    /// Where a client's request to a service goes. A link is not needed, but where the service is locked or has all
    /// the links that it takes, only linked clients get through.
    ///
    /// # Errors
    /// [`Denied::NoSuchService`], [`Denied::Locked`], [`Denied::OnlyForLinked`].
    pub fn route(&self, client: ConnectionId, service: &str) -> Result<Route<H>, Denied> {
        let found = self.services.get(service).ok_or(Denied::NoSuchService)?;
        let open_to_all = found.locks.is_empty() && !found.is_full();
        if !open_to_all && !found.links.contains(&client) {
            return Err(if found.locks.is_empty() { Denied::OnlyForLinked } else { Denied::Locked });
        }
        Ok(Route { service: found.connection, mailbox: found.mailbox.clone() })
    }

    /// The mailboxes of the clients that are linked with the service on this connection: who gets its notifications.
    pub fn audience(&self, service: ConnectionId) -> impl Iterator<Item = &H> {
        let found = self.service_names.get(&service).and_then(|name| self.services.get(name));
        let links = found.into_iter().flat_map(|found| &found.links);
        links.filter_map(|client| self.clients.get(client)).map(|client| &client.mailbox)
    }

    /// Everybody who is there, to be written out elsewhere.
    pub fn census(&self) -> Census {
        Census {
            clients: self.clients.values().map(|client| client.entry.clone()).collect(),
            services: self.services.values().map(|service| service.entry.clone()).collect(),
        }
    }

    /// The clients that are linked with each service, to be written out elsewhere.
    pub fn links(&self) -> Holders {
        self.holders(|service| &service.links)
    }

    /// The clients that hold a lock on each service, to be written out elsewhere.
    pub fn locks(&self) -> Holders {
        self.holders(|service| &service.locks)
    }

    fn holders(&self, which: impl Fn(&Service<H>) -> &BTreeSet<ConnectionId>) -> Holders {
        let services = self.services.iter();
        Holders(services.map(|(name, service)| (name.clone(), self.network_names(which(service)))).collect())
    }

    /// The connection that has this network name: for an administrator who ends one.
    pub fn find(&self, network_name: &str) -> Option<ConnectionId> {
        let client =
            self.clients.iter().find(|(_, client)| client.entry.network_name.as_str() == network_name);
        client.map(|(connection, _)| *connection).or_else(|| {
            let mut services = self.services.values();
            let service = services.find(|service| service.entry.network_name.as_str() == network_name);
            service.map(|service| service.connection)
        })
    }

    fn linked(&self, service: &str) -> Vec<NetworkName> {
        self.services.get(service).map(|service| self.network_names(&service.links)).unwrap_or_default()
    }

    /// Sorted by name, as the Python Manager shows them.
    fn network_names(&self, clients: &BTreeSet<ConnectionId>) -> Vec<NetworkName> {
        let entries = clients.iter().filter_map(|client| self.clients.get(client));
        let mut names: Vec<_> = entries.map(|client| client.entry.network_name.clone()).collect();
        names.sort();
        names
    }
}

impl<H: Clone> Default for Broker<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H> Service<H> {
    fn is_full(&self) -> bool {
        self.entry.max_clients.is_some_and(|most| self.links.len() >= most as usize)
    }
}

fn service_mut<'a, H>(
    services: &'a mut BTreeMap<Arc<str>, Service<H>>,
    name: &str,
) -> Result<(Arc<str>, &'a mut Service<H>), Denied> {
    let found = services.get_mut(name).ok_or(Denied::NoSuchService)?;
    Ok((found.entry.name.clone(), found))
}

#[cfg(test)]
mod tests;
