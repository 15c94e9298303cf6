//! How much the notes for the log matter.

use super::*;
use crate::frame::FrameError;

fn assert_all_are(importance: Importance, notes: &[Note]) {
    for note in notes {
        assert_eq!(note.importance(), importance, "{note}");
    }
}

#[test]
fn what_no_device_should_do_is_a_warning() {
    assert_all_are(
        Importance::Warning,
        &[
            Note::Broken(FrameError::Utf8 { at: 0 }),
            Note::UnexpectedReply { requester: "Bob[lab:9]".into() },
            Note::UnexpectedNotification,
            Note::Ending(Ending::SlowConsumer),
            Note::Ending(Ending::EndlessLine),
            Note::Ending(Ending::TlsHello),
        ],
    );
}

#[test]
fn the_normal_course_of_things_is_no_warning() {
    assert_all_are(
        Importance::Info,
        &[
            Note::Identified { service: true },
            Note::Refused { hurdle: Hurdle::Login, refusal: wrong_login() },
            Note::Denied(wrong_login()),
            Note::Answered(Question::Link("Echo".into())),
            Note::Answered(Question::Unlink("Echo".into())),
            Note::Ending(Ending::Closed),
        ],
    );
}

#[test]
fn what_devices_ask_all_the_time_is_for_somebody_who_looks_for_a_fault() {
    // Devices of ours unlink from a service without a name, to hear whether they have been let in.
    let let_in = Question::Unlink(String::new());
    assert_all_are(Importance::Debug, &[Note::Answered(Question::Identity), Note::Answered(let_in)]);
}
