//! What the connections ask of the program around the Manager, and what they note: the model hears of each decision in the
//! order in which it was made.

use std::sync::PoisonError;
use std::time::Duration;

use msl_network_protocol::connection::{Action, Credentials, Ending, Hurdle, Note, Question};
use msl_network_protocol::error::{Exception, Refusal};
use msl_network_protocol::frame::FrameError;
use msl_network_protocol::json;
use msl_network_protocol::mailbox::{Notice, Verdict};

use super::{Due, World};
use crate::device::Role;
use crate::manager::Act;
use crate::model::Port;

impl World<'_> {
    /// Takes what the connections have asked and noted, and holds the broker against the model.
    pub(super) fn look(&mut self) {
        let acts = std::mem::take(&mut *self.acts.lock().unwrap_or_else(PoisonError::into_inner));
        let mut changed = false;
        for act in acts {
            let Act { port, name, action, mailbox } = act;
            self.note(format_args!("{port} {action:?}"));
            match action {
                Action::LookUpHost => {
                    if let Some(time) = self.setup.names {
                        self.later(time, Due::Tell(mailbox, Notice::HostName("lab".into())));
                    }
                }
                Action::Check(credentials) => {
                    let verdict = self.verdict(port, &credentials);
                    if self.setup.check > Duration::ZERO {
                        self.reach("password: takes time");
                    }
                    self.later(self.setup.check, Due::Tell(mailbox, Notice::Checked(verdict)));
                }
                Action::Administer { attribute, args, .. } => {
                    self.later(self.setup.check, Due::Administer { mailbox, attribute, args });
                }
                Action::ShutDown => self.shut_down(),
                Action::Note(note) => {
                    changed = true;
                    self.noted(port, name.as_deref(), &note);
                }
            }
        }
        if changed {
            let (links, locks) =
                self.manager.broker(|broker| (broker.links().to_json(), broker.locks().to_json()));
            assert_eq!(
                (links, locks),
                (self.model.links(), self.model.locks()),
                "who is linked, who holds a lock"
            );
            let clients = self.manager.broker(|broker| broker.census().clients.len());
            assert_eq!(clients, self.model.clients.len(), "who is there");
        }
    }

    fn verdict(&mut self, port: Port, credentials: &Credentials) -> Verdict {
        let (right, administrator) = match credentials {
            Credentials::ManagerPassword(password) => (password == "1234", false),
            Credentials::Login { username, password } => (password == "secret", username == "root"),
            Credentials::HostName => (self.device(port).ip != super::play::address(3), false),
        };
        self.reach(if right { "password: right" } else { "password: wrong" });
        if right { Verdict::Accepted { administrator } } else { Verdict::Refused(credentials.refusal()) }
    }

    /// Something that was due.
    pub(super) fn happen(&mut self, due: Due) {
        match due {
            Due::Tell(mailbox, notice) => mailbox.tell(notice),
            Due::Administer { mailbox, attribute, args } => {
                let first = json::elements(&args).and_then(|args| args.first().cloned()).unwrap_or_default();
                let result = match (attribute.as_str(), json::unquote(&first)) {
                    ("disconnect_client", Some(name)) => self.manager.disconnect(&name).to_string(),
                    _ => "{}".to_owned(),
                };
                self.reach("admin: done");
                mailbox.tell(Notice::Administered(Ok(result)));
            }
            Due::Finish(port, execution) => self.finish_execution(port, execution),
            Due::Read(port) => self.device(port).reads = true,
            Due::Type(port, text) => {
                let device = self.device(port);
                match &mut device.role {
                    Role::Client(client) => client.machine.answer(text, &mut client.events),
                    Role::Service(service) => service.machine.answer(text, &mut service.events),
                    Role::Rude(_) => {}
                }
            }
        }
    }

    pub(super) fn shut_down(&mut self) {
        if !self.model.shutting_down {
            self.note(format_args!("the Manager shuts down"));
            self.model.shutting_down = true;
            let limits = &self.setup.limits;
            self.over_by = Some(self.now() + limits.shutdown + 2 * limits.linger);
            self.manager.shut_down();
        }
    }

    fn noted(&mut self, port: Port, name: Option<&str>, note: &Note) {
        match note {
            Note::Identified { service } => {
                let name = name.expect("who is identified has a name");
                if !name.contains("[lab:") {
                    self.reach("limit: name wait");
                }
                let most = match &self.device(port).role {
                    Role::Service(service) => service.most,
                    _ => None,
                };
                self.model.joined(port, name, *service, most);
            }
            Note::Refused { hurdle, refusal } => {
                self.refused(*hurdle, refusal);
                self.model.refused(port, refusal.text());
            }
            Note::Denied(refusal) => {
                self.denied(port, refusal);
                self.model.refused(port, refusal.text());
            }
            Note::Broken(FrameError::TooLong { .. }) => self.reach("limit: frame too long"),
            Note::Broken(FrameError::Memory) => self.reach("limit: line skipped for memory"),
            Note::Broken(_) => {}
            Note::UnexpectedReply { .. } => self.reach("told: unexpected reply dropped"),
            Note::UnexpectedNotification => self.reach("told: unexpected notification dropped"),
            Note::Answered(question) => {
                match question {
                    Question::Link(_) => self.reach("told: links"),
                    Question::AcquireLock { .. } => self.reach("told: locks"),
                    _ => {}
                }
                self.model.granted(port, question);
            }
            Note::Ending(ending) => {
                self.ending(port, *ending);
                self.model.left(port, *ending == Ending::Requested);
            }
        }
    }

    fn ending(&mut self, port: Port, ending: Ending) {
        self.reach(match ending {
            Ending::Requested => "end: asked for",
            Ending::Closed => "end: closed",
            Ending::Refused => "end: refused",
            Ending::EndlessLine => "end: endless line",
            Ending::SlowConsumer => "end: slow consumer",
            Ending::Shutdown => "end: shutdown",
            Ending::Administrator => "end: administrator",
            Ending::TlsHello => "end: speaks TLS",
        });
        if ending == Ending::SlowConsumer {
            // It took nothing for that long; or notifications were too many at once. (A burst within one turn may be that, for a
            // client that reads well: limits are that small here.)
            let (now, limit) = (self.now(), self.setup.limits.write_timeout);
            let stuck = {
                let socket = self.device(port).socket.borrow();
                socket.is_full() && now - socket.last_taken >= limit
            };
            self.reach(if stuck { "limit: write timeout" } else { "limit: notifications" });
        }
    }

    fn refused(&mut self, hurdle: Hurdle, refusal: &Refusal) {
        match (hurdle, refusal.exception()) {
            (Hurdle::Identity, Exception::Timeout) => self.reach("limit: first answer"),
            (_, Exception::Timeout) => self.reach("limit: prompt"),
            (_, Exception::Name) => self.reach("refused: name taken"),
            _ if refusal.text().contains("longer than") => self.reach("limit: handshake frame too long"),
            _ => {}
        }
    }

    fn denied(&mut self, port: Port, refusal: &Refusal) {
        let text = refusal.text();
        let about = |what: &str| text.contains(what);
        if about("does not take requests as fast") {
            self.reach("limit: service wait");
            let service = self.model.services.iter().find(|(name, _)| about(&format!("'{name}'")));
            // One of that name may have left in between; its callers are told so.
            if let Some(service) = service.map(|(_, service)| service.port) {
                let full = self.device(service).socket.borrow().is_full();
                assert!(full, "{port} was refused for lack of room with a service that takes everything");
            }
        } else if about("the answer to the login did not come: too much") {
            self.reach("limit: too much behind a login");
        } else if about("no answer to the Manager's request for a username") {
            self.reach("limit: prompt");
        } else if about("service is locked") {
            self.reach("refused: link while locked");
        } else if about("maximum number of Clients") {
            self.reach("refused: full");
        } else if about("has all the links that it takes") {
            self.reach("refused: only for linked");
        } else if about("exclusive lock, there are") {
            self.reach("refused: not alone");
        } else if about("not linked with") {
            self.reach("refused: not linked");
        } else if about("is not connected to") || about("does not exist") {
            self.reach("refused: no such service");
        }
    }
}
