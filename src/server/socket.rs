//! The socket of the server: on all addresses of the machine, or on one.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::config::Listen;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Listens at the address. Needs a runtime.
pub(super) fn open(listen: Listen) -> io::Result<TcpListener> {
    let socket = match listen {
        Listen::One(address) => bind(address),
        Listen::All(port) => bind_all(port, bind),
    }?;
    TcpListener::from_std(socket.into())
}

/// One socket for IPv6 and IPv4 if the machine has IPv6, else one for IPv4.
fn bind_all<S>(port: u16, bind: impl Fn(SocketAddr) -> io::Result<S>) -> io::Result<S> {
    match bind((Ipv6Addr::UNSPECIFIED, port).into()) {
        // Another process has the port, so the machine has IPv6: with IPv4 alone, probes might reach that process.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        Err(error) => {
            tracing::info!("The machine has no IPv6 ({error}): probes and metrics are served by IPv4 only");
            bind((Ipv4Addr::UNSPECIFIED, port).into())
        }
        bound => bound,
    }
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        // Independent of the machine's default (net.ipv6.bindv6only).
        socket.set_only_v6(false)?;
    }
    // As tokio does: a restart need not wait for old connections to expire.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    fn has_ipv6() -> bool {
        std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
    }

    #[tokio::test]
    async fn all_addresses_are_those_of_ipv6_and_ipv4() {
        let listener = open(Listen::All(0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        if has_ipv6() {
            TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn one_address_is_that_one_alone() {
        let listener = open(Listen::One("127.0.0.1:0".parse().unwrap())).unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        assert!(TcpStream::connect(("127.0.0.2", port)).await.is_err());
    }

    #[test]
    fn without_ipv6_it_is_ipv4() {
        const NOT_SUPPORTED: i32 = 97;
        let bound = bind_all(8080, |address| match address {
            SocketAddr::V6(_) => Err(io::Error::from_raw_os_error(NOT_SUPPORTED)),
            SocketAddr::V4(_) => Ok(address),
        });
        assert_eq!(bound.unwrap(), "0.0.0.0:8080".parse().unwrap());
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_an_error() {
        let taken = open(Listen::All(0)).unwrap();
        let error = open(Listen::All(taken.local_addr().unwrap().port())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
