//! A flag for every limit.
//!
//! The defaults are not repeated here: they come from [`Limits`], the one place that knows them.

use clap::Args;
use msl_network_manager::{Computer, Limits};

use crate::units::{Size, Time};

/// How much the Manager takes upon itself.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Limits (sizes: bytes, 512KiB, 4MiB, 1GB; times: 500ms, 60s, 5min, 1h)")]
pub(crate) struct LimitArguments {
    /// All bytes of messages held at one time [default: half of the computer's memory]
    #[arg(long, value_name = "SIZE")]
    memory: Option<Size>,

    /// Longest message [default: half of --memory, at most 1GiB]
    #[arg(long, value_name = "SIZE")]
    max_frame: Option<Size>,

    /// Longest line of a device that has not identified itself yet [default: 1MiB]
    #[arg(long, value_name = "SIZE")]
    max_handshake_frame: Option<Size>,

    /// Requests waiting for one service, before its clients have to wait [default: 4MiB]
    #[arg(long, value_name = "SIZE")]
    service_mailbox: Option<Size>,

    /// Replies waiting for one client, before its requests have to wait [default: 4MiB]
    #[arg(long, value_name = "SIZE")]
    client_mailbox: Option<Size>,

    /// Notifications waiting for one client, before it is disconnected [default: 64MiB]
    #[arg(long, value_name = "SIZE")]
    notifications: Option<Size>,

    /// Time a request waits for room in a service's mailbox [default: 1m]
    #[arg(long, value_name = "TIME")]
    service_wait: Option<Time>,

    /// Time a device may take nothing of what waits for it [default: 5m]
    #[arg(long, value_name = "TIME")]
    write_timeout: Option<Time>,

    /// Time for a new device's first answer [default: 30s]
    #[arg(long, value_name = "TIME")]
    first_answer: Option<Time>,

    /// Time to answer a request for a username or a password [default: 5m]
    #[arg(long, value_name = "TIME")]
    prompt: Option<Time>,

    /// Time to look up the name of a device's computer; its IP address is taken then [default: 2s]
    #[arg(long, value_name = "TIME")]
    name_wait: Option<Time>,

    /// Devices that have not identified themselves yet [default: 1024]
    #[arg(long, value_name = "NUMBER")]
    handshakes: Option<usize>,

    /// The same from one address [default: 64]
    #[arg(long, value_name = "NUMBER")]
    handshakes_per_address: Option<usize>,

    /// Connections at one time [default: 10000, or what the file descriptors allow]
    #[arg(long, value_name = "NUMBER")]
    connections: Option<usize>,

    /// Requests of one client without an answer, before further ones have to wait [default: 10000]
    #[arg(long, value_name = "NUMBER")]
    open_requests: Option<usize>,

    /// Silence after which TCP asks whether a device is still there [default: 30s]
    #[arg(long, value_name = "TIME")]
    keep_alive_idle: Option<Time>,

    /// Time between such questions [default: 10s]
    #[arg(long, value_name = "TIME")]
    keep_alive_interval: Option<Time>,

    /// Questions without an answer after which the device counts as gone [default: 3]
    #[arg(long, value_name = "NUMBER")]
    keep_alive_probes: Option<u32>,

    /// Time a device's computer may leave sent bytes unconfirmed [default: 5m 5s]
    #[arg(long, value_name = "TIME")]
    unacknowledged: Option<Time>,

    /// Time to wait for open answers when the Manager stops [default: 5s]
    #[arg(long, value_name = "TIME")]
    shutdown: Option<Time>,

    /// Time a device has to close a connection that the Manager has ended [default: 5s]
    #[arg(long, value_name = "TIME")]
    linger: Option<Time>,

    /// Time the last answers count after a service or client has left [default: 10s]
    #[arg(long, value_name = "TIME")]
    leave: Option<Time>,
}

impl LimitArguments {
    /// The limits on this computer: what was asked for, and the defaults otherwise. They are not checked here.
    pub(crate) fn limits(&self, computer: &Computer) -> Limits {
        let memory = self.memory.map_or(computer.memory / 2, Size::bytes);
        let default = Limits::for_memory(memory);
        let size = |given: Option<Size>, default| given.map_or(default, Size::bytes);
        let time = |given: Option<Time>, default| given.map_or(default, Time::duration);
        Limits {
            memory,
            max_frame: size(self.max_frame, default.max_frame),
            max_handshake_frame: size(self.max_handshake_frame, default.max_handshake_frame),
            service_mailbox: size(self.service_mailbox, default.service_mailbox),
            client_mailbox: size(self.client_mailbox, default.client_mailbox),
            notifications: size(self.notifications, default.notifications),
            service_wait: time(self.service_wait, default.service_wait),
            write_timeout: time(self.write_timeout, default.write_timeout),
            first_answer: time(self.first_answer, default.first_answer),
            prompt: time(self.prompt, default.prompt),
            name_wait: time(self.name_wait, default.name_wait),
            handshakes: self.handshakes.unwrap_or(default.handshakes),
            handshakes_per_address: self.handshakes_per_address.unwrap_or(default.handshakes_per_address),
            connections: self.connections.unwrap_or(default.connections).min(computer.connections),
            open_requests: self.open_requests.unwrap_or(default.open_requests),
            keep_alive_idle: time(self.keep_alive_idle, default.keep_alive_idle),
            keep_alive_interval: time(self.keep_alive_interval, default.keep_alive_interval),
            keep_alive_probes: self.keep_alive_probes.unwrap_or(default.keep_alive_probes),
            unacknowledged: time(self.unacknowledged, default.unacknowledged),
            shutdown: time(self.shutdown, default.shutdown),
            linger: time(self.linger, default.linger),
            leave: time(self.leave, default.leave),
        }
    }

    /// The number of connections that was asked for, where the file descriptors do not allow so many.
    pub(crate) fn too_many_connections(&self, computer: &Computer) -> Option<usize> {
        self.connections.filter(|asked| *asked > computer.connections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, StartArguments};
    use clap::{Command, CommandFactory, FromArgMatches};
    use std::time::Duration;

    fn computer() -> Computer {
        Computer {
            host_name: "lab-7".into(),
            os: "Linux 6.1.0 x86_64".into(),
            language: "Rust 1.90.0".into(),
            memory: 8 << 30,
            connections: 100_000,
        }
    }

    #[test]
    fn without_flags_the_limits_are_the_defaults_for_half_of_the_memory() {
        let limits = LimitArguments::default().limits(&computer());
        assert_eq!(limits, Limits::for_memory(4 << 30));
    }

    #[test]
    fn every_limit_has_a_flag_that_sets_it_and_no_other() {
        // Given a value for each that no other one has, of every field that there is.
        let flags = "start \
            --memory 1KiB \
            --max-frame 2KiB \
            --max-handshake-frame 3KiB \
            --service-mailbox 4KiB \
            --client-mailbox 5KiB \
            --notifications 6KiB \
            --service-wait 7s \
            --write-timeout 8s \
            --first-answer 9s \
            --prompt 10s \
            --name-wait 11s \
            --handshakes 12 \
            --handshakes-per-address 13 \
            --connections 14 \
            --open-requests 15 \
            --keep-alive-idle 16s \
            --keep-alive-interval 17s \
            --keep-alive-probes 18 \
            --unacknowledged 19s \
            --shutdown 20s \
            --linger 21s \
            --leave 22s";
        let expected = Limits {
            memory: 1 << 10,
            max_frame: 2 << 10,
            max_handshake_frame: 3 << 10,
            service_mailbox: 4 << 10,
            client_mailbox: 5 << 10,
            notifications: 6 << 10,
            service_wait: Duration::from_secs(7),
            write_timeout: Duration::from_secs(8),
            first_answer: Duration::from_secs(9),
            prompt: Duration::from_secs(10),
            name_wait: Duration::from_secs(11),
            handshakes: 12,
            handshakes_per_address: 13,
            connections: 14,
            open_requests: 15,
            keep_alive_idle: Duration::from_secs(16),
            keep_alive_interval: Duration::from_secs(17),
            keep_alive_probes: 18,
            unacknowledged: Duration::from_secs(19),
            shutdown: Duration::from_secs(20),
            linger: Duration::from_secs(21),
            leave: Duration::from_secs(22),
        };
        let command = LimitArguments::augment_args(Command::new("start"));
        let matches = command.get_matches_from(flags.split_whitespace());
        let arguments = LimitArguments::from_arg_matches(&matches).unwrap();
        assert_eq!(arguments.limits(&computer()), expected);
    }

    #[test]
    fn the_longest_frame_follows_the_memory_that_was_asked_for() {
        let arguments =
            LimitArguments { memory: Some("100MiB".parse().unwrap()), ..LimitArguments::default() };
        assert_eq!(arguments.limits(&computer()).max_frame, 50 << 20);
    }

    #[test]
    fn there_are_no_more_connections_than_file_descriptors_allow() {
        let few = Computer { connections: 900, ..computer() };
        assert_eq!(LimitArguments::default().limits(&few).connections, 900);
        assert_eq!(LimitArguments::default().too_many_connections(&few), None);
        let asked = LimitArguments { connections: Some(5000), ..LimitArguments::default() };
        assert_eq!(asked.limits(&few).connections, 900);
        assert_eq!(asked.too_many_connections(&few), Some(5000));
    }

    #[test]
    fn the_help_tells_the_defaults_that_count() {
        // The texts are written by hand: this keeps them true.
        let limits = Limits::for_memory(4 << 30);
        let command = StartArguments::augment_args(Arguments::command());
        let help = |name: &str| {
            let argument =
                command.get_arguments().find(|argument| argument.get_long() == Some(name)).unwrap();
            argument.get_help().unwrap().to_string()
        };
        let sizes = [
            ("max-handshake-frame", limits.max_handshake_frame),
            ("service-mailbox", limits.service_mailbox),
            ("client-mailbox", limits.client_mailbox),
            ("notifications", limits.notifications),
        ];
        for (name, size) in sizes {
            let text = help(name);
            let told: Size = text.rsplit("[default: ").next().unwrap().trim_end_matches(']').parse().unwrap();
            assert_eq!(told.bytes(), size, "{name}");
        }
        let times = [
            ("service-wait", limits.service_wait),
            ("write-timeout", limits.write_timeout),
            ("first-answer", limits.first_answer),
            ("prompt", limits.prompt),
            ("name-wait", limits.name_wait),
            ("keep-alive-idle", limits.keep_alive_idle),
            ("keep-alive-interval", limits.keep_alive_interval),
            ("unacknowledged", limits.unacknowledged),
            ("shutdown", limits.shutdown),
            ("linger", limits.linger),
            ("leave", limits.leave),
        ];
        for (name, time) in times {
            let text = help(name);
            let told: Time = text.rsplit("[default: ").next().unwrap().trim_end_matches(']').parse().unwrap();
            assert_eq!(told.duration(), time, "{name}");
        }
        let numbers = [
            ("handshakes", limits.handshakes),
            ("handshakes-per-address", limits.handshakes_per_address),
            ("connections", limits.connections),
            ("open-requests", limits.open_requests),
            ("keep-alive-probes", limits.keep_alive_probes as usize),
        ];
        for (name, number) in numbers {
            let text = help(name);
            assert!(text.contains(&format!("[default: {number}")), "{name}: {text}");
        }
    }
}
