//! Who may come in: the Manager's password, logins, trusted computers (`docs/wire.md` section 4), and administrators in the
//! middle of a session (section 6).
//!
//! A check never holds up the connection's thread. Logins take much time and memory, and name servers may take long, so
//! both take [turns](crate::turns), apart from each other. The verdict on a password is held back where the address has
//! [failed often](crate::backoff), by a timer, whichever way it is; that on a computer is not, as nobody guesses there.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use msl_network_protocol::connection::{Credentials, Verdict};
use msl_network_protocol::drive::Caller;
use msl_network_protocol::error::{Exception, Refusal};
use msl_network_protocol::mailbox::Notice;
use tracing::{error, info};

use crate::backoff::{BackOff, Origin};
use crate::log::TARGET;
use crate::program::{Owed, Program};
use crate::store::Login;
use crate::trusted::{Distrust, Trust};
use crate::turns::Turns;
use crate::{Error, Secret, Store};

/// The computers that are looked up at once. Most of these threads wait for a name server.
const LOOK_UPS_AT_ONCE: usize = 32;

/// Who it is, or why it may not come in; an error where that could not be found out.
type Outcome = Result<Result<Login, Refusal>, Error>;

/// The checks of one Manager. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Checks(Arc<Shared>);

struct Shared {
    program: Arc<dyn Program>,
    logins: Turns,
    look_ups: Turns,
    store: Store,
    password: Option<Secret>,
    trust: Trust,
    back_off: Mutex<BackOff>,
}

impl Checks {
    /// Logins take their turns among `logins`.
    pub(crate) fn new(
        program: Arc<dyn Program>,
        logins: Turns,
        store: Store,
        password: Option<Secret>,
        trust: Trust,
    ) -> Self {
        let look_ups = Turns::new(LOOK_UPS_AT_ONCE, program.clone());
        let back_off = Mutex::default();
        Self(Arc::new(Shared { program, logins, look_ups, store, password, trust, back_off }))
    }

    /// Checks what a device shows, and tells it the verdict in its time.
    pub(crate) fn check(&self, caller: Caller<'_>, credentials: Credentials) {
        let owed = Owed::new(caller.mailbox, Notice::Checked(Verdict::Refused(cannot_check())));
        let ip = caller.ip;
        match credentials {
            Credentials::ManagerPassword(given) => {
                let right = self.0.password.as_ref().is_some_and(|password| same(&given, password));
                let login = right.then_some(Login { administrator: false });
                let refusal = || Credentials::ManagerPassword(given).refusal();
                self.conclude(ip, Ok(login.ok_or_else(refusal)), owed);
            }
            Credentials::Login { username, password } => {
                let checks = self.clone();
                self.0.logins.run(
                    ip.into(),
                    owed.is_awaited(),
                    Box::new(move || {
                        let login = checks.0.store.users().check(&username, &password);
                        let refusal = || Credentials::Login { username, password }.refusal();
                        checks.conclude(ip, login.map(|login| login.ok_or_else(refusal)), owed);
                    }),
                );
            }
            Credentials::HostName => {
                let checks = self.clone();
                self.0.look_ups.run(
                    ip.into(),
                    owed.is_awaited(),
                    Box::new(move || {
                        let table = checks.0.store.hostnames().list();
                        let outcome = table.map(|table| checks.trusted(ip, &table));
                        owed.pay(Notice::Checked(verdict(ip, outcome)));
                    }),
                );
            }
        }
    }

    fn trusted(&self, ip: IpAddr, table: &[String]) -> Result<Login, Refusal> {
        let refused = |distrust: Distrust| Refusal::new(Exception::Value, distrust.to_string());
        self.0.trust.check(ip, table).map(|()| Login { administrator: false }).map_err(refused)
    }

    /// Tells the outcome of a password, at once or later.
    fn conclude(&self, ip: IpAddr, outcome: Outcome, owed: Owed) {
        let (verdict, delay) = self.judge(ip, outcome);
        if delay.is_zero() {
            return owed.pay(Notice::Checked(verdict));
        }
        info!(target: TARGET, "{ip} has failed often: it gets the verdict in {delay:?}");
        self.0.program.run_later(delay, Box::new(move || owed.pay(Notice::Checked(verdict))));
    }

    /// The verdict on a password, and how long it is held back.
    fn judge(&self, ip: IpAddr, outcome: Outcome) -> (Verdict, Duration) {
        let refused = matches!(outcome, Ok(Err(_)));
        (verdict(ip, outcome), self.delay(ip.into(), refused))
    }

    fn delay(&self, origin: Origin, refused: bool) -> Duration {
        let now = Instant::now();
        let mut back_off = self.0.back_off.lock().unwrap_or_else(PoisonError::into_inner);
        if refused {
            back_off.failed(origin, now);
        }
        back_off.delay(origin, now)
    }
}

/// An error is nobody's failure but the Manager's.
fn verdict(ip: IpAddr, outcome: Outcome) -> Verdict {
    match outcome {
        Ok(Ok(Login { administrator })) => Verdict::Accepted { administrator },
        Ok(Err(refusal)) => Verdict::Refused(refusal),
        Err(error) => {
            error!(target: TARGET, "cannot check whether {ip} may connect: {error}");
            Verdict::Refused(cannot_check())
        }
    }
}

/// What a device is told when it is the Manager that has failed; its log says why.
fn cannot_check() -> Refusal {
    Refusal::new(Exception::Runtime, "the Manager cannot check now who may connect; its log says why")
}

/// Compares in a time that says nothing about where the two differ, nor how long they are.
fn same(given: &str, password: &Secret) -> bool {
    let digests = [given, password.expose()].map(|text| digest(&SHA256, text.as_bytes()));
    verify_slices_are_equal(digests[0].as_ref(), digests[1].as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::program::Job;

    const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    struct Idle;

    impl Program for Idle {
        fn run_blocking(&self, _: Job) {}

        fn run_later(&self, _: Duration, _: Job) {}

        fn shut_down(&self) {}
    }

    fn checks() -> (Checks, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("manager.redb")).unwrap();
        let program: Arc<dyn Program> = Arc::new(Idle);
        let turns = Turns::new(1, program.clone());
        (Checks::new(program, turns, store, None, Trust::new("lab-7")), folder)
    }

    const RIGHT: Login = Login { administrator: true };

    fn wrong() -> Refusal {
        Refusal::new(Exception::Value, "no")
    }

    #[test]
    fn the_right_password_waits_where_the_wrong_one_did_and_takes_nothing_of_the_wait_away() {
        let (checks, _folder) = checks();
        let delays: Vec<Duration> = (0..6).map(|_| checks.judge(IP, Ok(Err(wrong()))).1).collect();
        let last = delays[5];
        assert!(last > Duration::ZERO);
        for _ in 0..2 {
            let (verdict, delay) = checks.judge(IP, Ok(Ok(RIGHT)));
            assert_eq!(verdict, Verdict::Accepted { administrator: true });
            assert_eq!(delay, last);
        }
        assert!(checks.judge(IP, Ok(Err(wrong()))).1 > last, "it goes on where it was");
        assert_eq!(checks.judge(IpAddr::from([10, 0, 0, 2]), Ok(Ok(RIGHT))).1, Duration::ZERO);
    }

    #[test]
    fn what_the_manager_could_not_check_is_refused_and_counts_for_nobody() {
        let (checks, _folder) = checks();
        for _ in 0..10 {
            let (verdict, delay) = checks.judge(IP, Err(Error::new(Kind::Os, "the disk has failed")));
            let Verdict::Refused(refusal) = verdict else { panic!("{verdict:?}") };
            assert!(!refusal.text().contains("disk"), "a stranger is not told: {refusal}");
            assert_eq!(delay, Duration::ZERO);
        }
    }

    #[test]
    fn a_password_is_right_only_as_a_whole() {
        let password = Secret::new("open sesame");
        assert!(same("open sesame", &password));
        for given in ["", "open sesam", "open sesame ", "Open sesame"] {
            assert!(!same(given, &password), "{given:?}");
        }
    }
}
