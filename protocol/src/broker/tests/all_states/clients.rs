//! A set of clients, by number: small and quick to compare, as the search does that some hundred thousand times.

/// Which clients: a bit for each.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Clients(u8);

impl Clients {
    pub(super) fn insert(&mut self, client: usize) {
        self.0 |= 1 << client;
    }

    pub(super) fn remove(&mut self, client: usize) {
        self.0 &= !(1 << client);
    }

    pub(super) fn contains(self, client: usize) -> bool {
        self.0 & (1 << client) != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether all of them are among the others.
    pub(super) fn is_subset(self, others: Self) -> bool {
        self.without(others).is_empty()
    }

    /// Those that are not among the others.
    pub(super) fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        (0..u8::BITS as usize).filter(move |client| self.contains(*client))
    }
}

impl FromIterator<usize> for Clients {
    fn from_iter<I: IntoIterator<Item = usize>>(clients: I) -> Self {
        let mut set = Self::default();
        clients.into_iter().for_each(|client| set.insert(client));
        set
    }
}

impl core::fmt::Debug for Clients {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
