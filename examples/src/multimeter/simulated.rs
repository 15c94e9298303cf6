//! An instrument that is none: it answers the commands of the example as a multimeter would, on a port of this computer.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Starts one, which goes on until the process ends, and returns where it listens.
///
/// # Errors
/// There is no free port.
pub fn simulated() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let mut errors = VecDeque::new();
        // One connection at a time, as instruments have it.
        while let Ok((stream, _)) = listener.accept() {
            // An error is the end of the connection, and of nothing else.
            let _ = serve(&stream, &mut errors);
        }
    });
    Ok(address)
}

fn serve(mut stream: &TcpStream, errors: &mut VecDeque<&'static str>) -> io::Result<()> {
    for command in BufReader::new(stream).lines() {
        if let Some(answer) = execute(&command?, errors) {
            stream.write_all(format!("{answer}\n").as_bytes())?;
        }
    }
    Ok(())
}

/// Executes a command; its answer, if it is a question and there is no mistake in it.
fn execute(command: &str, errors: &mut VecDeque<&'static str>) -> Option<&'static str> {
    let command = command.trim().to_uppercase();
    let (header, argument) = command.split_once(' ').unwrap_or((&command, "0"));
    let in_range = |most: f64| argument.parse().is_ok_and(|range: f64| range <= most);
    let (answer, error) = match header {
        "*IDN?" => (Some("HEWLETT-PACKARD,34401A,0,11-5-2"), None),
        "*RST" | "*CLS" => (None, None),
        "SYST:ERR?" | "SYSTEM:ERROR?" => (errors.pop_front().or(Some("+0,\"No error\"")), None),
        "MEAS:VOLT:DC?" | "MEASURE:VOLTAGE:DC?" if in_range(1000.0) => (Some("-6.23954727E-02"), None),
        "MEAS:RES?" | "MEASURE:RESISTANCE?" if in_range(100e6) => (Some("+1.00012300E+05"), None),
        "MEAS:VOLT:DC?" | "MEASURE:VOLTAGE:DC?" | "MEAS:RES?" | "MEASURE:RESISTANCE?" => {
            (None, Some("-222,\"Data out of range\""))
        }
        _ => (None, Some("-113,\"Undefined header\"")),
    };
    errors.extend(error);
    answer
}
