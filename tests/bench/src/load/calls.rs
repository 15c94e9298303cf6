//! Requests and their answers. Both sides check what they get: the payload is whole, and answers come in the order of the requests.

use crate::Failure;
use crate::load::{Load, Talk};
use crate::protocol::{Protocol, SERVICE, check_reply, read_request, reply, request};

/// A client's open requests: those from `answered` to `asked`.
struct Client {
    header: Vec<u8>,
    asked: u64,
    answered: u64,
}

/// Clients that ask one service.
pub(crate) struct Calls {
    protocol: Protocol,
    payload: Vec<u8>,
    clients: Vec<Client>,
    /// Whether an answer is followed by the next request.
    going_on: bool,
    /// How many answers have come.
    answers: u64,
    body: Vec<u8>,
}

impl Calls {
    pub(crate) fn new(protocol: Protocol, clients: usize, payload: Vec<u8>) -> Self {
        let mut example = Vec::new();
        request(&mut example, SERVICE, 0, &payload);
        let length = example.len() - "\r\n".len();
        let client =
            |number| Client { header: protocol.request_header(number, length), asked: 0, answered: 0 };
        Self {
            protocol,
            payload,
            clients: (0..clients).map(client).collect(),
            going_on: true,
            answers: 0,
            body: Vec::new(),
        }
    }

    /// Every client sends its first requests.
    pub(crate) fn begin(&mut self, load: &mut Load, window: usize) {
        for (number, client) in self.clients.iter_mut().enumerate() {
            for _ in 0..window {
                client.ask(&self.payload, load.client(number));
            }
        }
    }

    /// From now on there are no further requests.
    pub(crate) fn end(&mut self) {
        self.going_on = false;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.clients.iter().all(|client| client.answered == client.asked)
    }

    pub(crate) fn answers(&self) -> u64 {
        self.answers
    }
}

impl Client {
    fn ask(&mut self, payload: &[u8], output: &mut Vec<u8>) {
        output.extend_from_slice(&self.header);
        request(output, SERVICE, self.asked, payload);
        self.asked += 1;
    }
}

impl Talk for Calls {
    fn serve(&mut self, message: &[u8], output: &mut Vec<u8>) -> Result<(), Failure> {
        let Some(opened) = self.protocol.open(message, output) else { return Ok(()) };
        let request = read_request(opened.body, &self.payload)?;
        if self.protocol == Protocol::Lines {
            reply(output, &request, &self.payload);
        } else {
            self.body.clear();
            reply(&mut self.body, &request, &self.payload);
            let length = self.body.len() - "\r\n".len();
            output.extend_from_slice(b"PUB ");
            output.extend_from_slice(opened.reply_to);
            output.extend_from_slice(format!(" {length}\r\n").as_bytes());
            output.extend_from_slice(&self.body);
        }
        Ok(())
    }

    fn hear(&mut self, client: usize, message: &[u8], output: &mut Vec<u8>) -> Result<(), Failure> {
        let Some(opened) = self.protocol.open(message, output) else { return Ok(()) };
        let client = &mut self.clients[client];
        check_reply(opened.body, client.answered, &self.payload)?;
        client.answered += 1;
        self.answers += 1;
        if self.going_on {
            client.ask(&self.payload, output);
        }
        Ok(())
    }

    fn speak(&mut self, _output: &mut Vec<u8>) {}
}
