//! Faults around a Manager, small; `cargo bench -p msl-network-tests --bench faults` lets them happen at full size. What
//! each one proves is beside its code, in `tests/src/faults`.

use msl_network_tests::every_setup;
use msl_network_tests::faults::{Fault, Size};
use msl_network_tests::setup::Setup;

every_setup! {
    services_that_are_killed_leave_no_caller_without_an_answer
    clients_that_never_read_cost_no_more_than_their_limits
    strangers_in_the_handshake_are_ended_and_newcomers_are_served
    devices_that_are_idle_can_work_at_any_time_and_leave_all_at_once
    nothing_stays_of_a_storm_of_connections
    devices_wait_for_free_file_descriptors_and_waiting_costs_nothing
    a_full_disk_stops_nobody_and_harms_no_store
    devices_find_each_other_again_when_their_manager_is_killed_and_comes_back
    each_open_call_ends_when_the_manager_is_terminated_under_load
}

/// What the bystanders' calls took is for those who look, with `--nocapture`.
fn run(fault: Fault, setup: Setup) {
    println!("| {} | {setup:?} {}", fault.name, (fault.run)(setup, Size::Small));
}

fn services_that_are_killed_leave_no_caller_without_an_answer(setup: Setup) {
    run(Fault::KILLED_SERVICES, setup);
}

fn clients_that_never_read_cost_no_more_than_their_limits(setup: Setup) {
    run(Fault::SLEEPERS, setup);
}

fn strangers_in_the_handshake_are_ended_and_newcomers_are_served(setup: Setup) {
    run(Fault::UNFINISHED_HANDSHAKES, setup);
}

fn devices_that_are_idle_can_work_at_any_time_and_leave_all_at_once(setup: Setup) {
    run(Fault::IDLE_DEVICES, setup);
}

fn nothing_stays_of_a_storm_of_connections(setup: Setup) {
    run(Fault::STORM, setup);
}

fn devices_wait_for_free_file_descriptors_and_waiting_costs_nothing(setup: Setup) {
    run(Fault::NO_DESCRIPTORS, setup);
}

fn a_full_disk_stops_nobody_and_harms_no_store(setup: Setup) {
    run(Fault::FULL_DISK, setup);
}

fn devices_find_each_other_again_when_their_manager_is_killed_and_comes_back(setup: Setup) {
    run(Fault::KILLED_MANAGER, setup);
}

fn each_open_call_ends_when_the_manager_is_terminated_under_load(setup: Setup) {
    run(Fault::TERMINATED_MANAGER, setup);
}
