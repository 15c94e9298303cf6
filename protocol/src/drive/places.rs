//! Places for a limited number, in the order in which they are asked for.
//!
//! A usual semaphore gives what comes back to whoever asks next, and who was woken for it waits anew, behind all others: devices
//! that connect all the time could keep one waiting for ever. Here a place that is free belongs to who has waited longest,
//! whoever has a turn first.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use super::lock;

/// A number of places. Clones are the same places.
#[derive(Clone, Debug)]
pub(super) struct Places(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    free: usize,
    /// The number of the next one that waits.
    next: u64,
    /// Those who have waited longest are in front; as many of them as places are free have been woken.
    waiting: BTreeMap<u64, Waker>,
}

impl State {
    /// The last one of those for whom a place is free.
    fn last_with_room(&self) -> Option<Waker> {
        self.free.checked_sub(1).and_then(|last| self.waiting.values().nth(last)).cloned()
    }

    fn has_room_for(&self, number: u64) -> bool {
        self.waiting.keys().take(self.free).any(|waiting| *waiting == number)
    }
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self(Arc::new(Mutex::new(State { free: count, next: 0, waiting: BTreeMap::new() })))
    }

    /// Waits for a place.
    pub(super) async fn take(&self) -> Place {
        let mut turn = None;
        poll_fn(|cx| {
            let mut state = lock(&self.0);
            let turn = turn.get_or_insert_with(|| {
                state.next += 1;
                Turn { places: self, number: state.next }
            });
            state.waiting.insert(turn.number, cx.waker().clone());
            if !state.has_room_for(turn.number) {
                return Poll::Pending;
            }
            state.waiting.remove(&turn.number);
            state.free -= 1;
            Poll::Ready(())
        })
        .await;
        Place(self.clone())
    }
}

/// Somebody who waits, or has a place since.
struct Turn<'a> {
    places: &'a Places,
    number: u64,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let next = {
            let mut state = lock(&self.places.0);
            // A place that was free for who gives up is another one's now.
            if state.waiting.remove(&self.number).is_some() { state.last_with_room() } else { None }
        };
        next.into_iter().for_each(Waker::wake);
    }
}

/// One of the places; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Places);

impl Drop for Place {
    fn drop(&mut self) {
        let next = {
            let mut state = lock(&self.0.0);
            state.free += 1;
            state.last_with_room()
        };
        next.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Somebody who asks for a place.
    struct Guest<'a> {
        future: Pin<Box<dyn Future<Output = Place> + 'a>>,
        wakes: Arc<Counter>,
    }

    impl<'a> Guest<'a> {
        fn new(places: &'a Places) -> Self {
            Self { future: Box::pin(places.take()), wakes: Arc::default() }
        }

        fn ask(&mut self) -> Option<Place> {
            let waker = Waker::from(self.wakes.clone());
            match self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(place) => Some(place),
                Poll::Pending => None,
            }
        }

        fn wakes(&self) -> usize {
            self.wakes.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn who_has_waited_longest_is_woken_and_gets_what_is_free_whoever_asks_first() {
        let places = Places::new(1);
        let place = Guest::new(&places).ask().unwrap();
        let [mut first, mut second, mut third] = [(); 3].map(|()| Guest::new(&places));
        assert!(first.ask().is_none() && second.ask().is_none());
        drop(place);
        assert_eq!((first.wakes(), second.wakes()), (1, 0));
        assert!(third.ask().is_none() && second.ask().is_none());
        let place = first.ask().unwrap();
        assert!(second.ask().is_none());
        drop(place);
        assert_eq!((second.wakes(), third.wakes()), (1, 0));
        assert!(third.ask().is_none() && second.ask().is_some() && third.ask().is_some());
    }

    #[test]
    fn each_of_several_free_places_wakes_one_and_none_of_them_waits_for_the_others() {
        let places = Places::new(2);
        let both = [(); 2].map(|()| Guest::new(&places).ask().unwrap());
        let mut guests = [(); 3].map(|()| Guest::new(&places));
        assert!(guests.iter_mut().all(|guest| guest.ask().is_none()));
        drop(both);
        assert_eq!(guests.each_ref().map(Guest::wakes), [1, 1, 0]);
        let [mut first, mut second, mut third] = guests;
        let _second = second.ask().unwrap();
        assert!(third.ask().is_none());
        let _first = first.ask().unwrap();
        assert!(third.ask().is_none());
    }

    #[test]
    fn a_place_that_is_free_for_one_who_gives_up_is_the_next_ones() {
        let places = Places::new(1);
        let place = Guest::new(&places).ask().unwrap();
        let [mut first, mut second, mut third] = [(); 3].map(|()| Guest::new(&places));
        assert!([&mut first, &mut second, &mut third].iter_mut().all(|guest| guest.ask().is_none()));
        // One who has nothing to give back leaves the others as they are.
        drop(second);
        assert_eq!((first.wakes(), third.wakes()), (0, 0));
        drop(place);
        drop(first);
        assert_eq!(third.wakes(), 1);
        assert!(third.ask().is_some());
    }
}
