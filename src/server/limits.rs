//! How much a caller may ask for: a token bucket for each token, or for each address where there is no token.
//!
//! An address of IPv6 counts with its network of 64 bits: its owner has all of them.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use super::fault::Fault;
use crate::config;

/// Sign-ins with a token that is not known to be right, each minute and address.
const SIGN_INS: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
/// Refusals that the audit log has, each minute and address: who is not let in must not fill the disk.
const REFUSALS: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
/// Callers that are remembered before the idle ones are forgotten.
const CROWD: usize = 4096;
/// How often they are forgotten at most.
const SWEEP: Duration = Duration::from_secs(5);

/// Whose allowance it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// The token of this id.
    Token(String),
    /// Somebody without one.
    Address(IpAddr),
}

type Buckets = RateLimiter<Client, HashMapStateStore<Client>, DefaultClock>;

/// The allowances.
pub struct Limits {
    requests: Option<Buckets>,
    sign_ins: Buckets,
    refusals: Buckets,
    swept: Mutex<Instant>,
}

impl Limits {
    /// As configured.
    pub fn new(config: &config::Server) -> Self {
        let requests = NonZeroU32::new(config.requests_per_minute);
        // all of a minute may come at once: a page of results asks for many thumbnails
        Self {
            requests: requests.map(|each| RateLimiter::hashmap(Quota::per_minute(each))),
            sign_ins: RateLimiter::hashmap(Quota::per_minute(SIGN_INS)),
            refusals: RateLimiter::hashmap(Quota::per_minute(REFUSALS)),
            swept: Mutex::new(Instant::now()),
        }
    }

    /// Takes `cost` from a caller's allowance.
    ///
    /// # Errors
    /// It is used up: says when to come again.
    pub fn request(&self, client: Client, cost: u32) -> Result<(), Fault> {
        let (Some(requests), Some(cost)) = (&self.requests, NonZeroU32::new(cost)) else { return Ok(()) };
        self.sweep(requests);
        match requests.check_key_n(&client, cost) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => Err(Fault::too_many(until.wait_time_from(DefaultClock::default().now()))),
            // dearer than all that one may ever have
            Err(_) => Err(Fault::too_many(Duration::from_secs(60))),
        }
    }

    /// Counts a sign-in with a token that is not known to be right.
    ///
    /// # Errors
    /// There were too many from this address.
    pub fn sign_in(&self, address: IpAddr) -> Result<(), Fault> {
        self.sweep(&self.sign_ins);
        let clock = DefaultClock::default();
        self.sign_ins
            .check_key(&Client::address(address))
            .map_err(|until| Fault::too_many(until.wait_time_from(clock.now())))
    }

    /// Whether the audit log has a line for one more refusal of this address.
    pub fn refusal(&self, address: IpAddr) -> bool {
        self.sweep(&self.refusals);
        self.refusals.check_key(&Client::address(address)).is_ok()
    }

    fn sweep(&self, buckets: &Buckets) {
        if buckets.len() < CROWD {
            return;
        }
        if let Ok(mut swept) = self.swept.try_lock()
            && swept.elapsed() >= SWEEP
        {
            *swept = Instant::now();
            buckets.retain_recent();
        }
    }
}

impl Client {
    /// Somebody at this address.
    pub fn address(address: IpAddr) -> Self {
        Client::Address(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn limits(requests_per_minute: u32) -> Limits {
        Limits::new(&config::Server { requests_per_minute, ..config::Server::default() })
    }

    #[test]
    fn each_caller_has_an_allowance_of_its_own_and_films_are_dearer() {
        let limits = limits(20);
        let token = |id: &str| Client::Token(id.to_owned());
        for _ in 0..2 {
            limits.request(token("a"), 10).unwrap();
        }
        assert!(limits.request(token("a"), 1).is_err());
        limits.request(token("b"), 1).unwrap();
        limits.request(token("a"), 0).unwrap();
        assert!(limits.request(token("c"), 21).is_err(), "it could never be paid");
    }

    #[test]
    fn one_network_of_ipv6_is_one_caller() {
        let address = |text: &str| Client::address(text.parse().unwrap());
        assert_eq!(address("2001:db8:1:2::3"), address("2001:db8:1:2:ffff::4"));
        assert_ne!(address("2001:db8:1:2::3"), address("2001:db8:1:3::3"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        let limits = limits(0);
        for _ in 0..1000 {
            limits.request(address("192.0.2.1"), 1000).unwrap();
        }
        for _ in 0..SIGN_INS.get() {
            limits.sign_in("192.0.2.1".parse().unwrap()).unwrap();
        }
        assert!(limits.sign_in("192.0.2.1".parse().unwrap()).is_err());
        limits.sign_in("192.0.2.2".parse().unwrap()).unwrap();
        let written = (0..1000).filter(|_| limits.refusal("192.0.2.1".parse().unwrap())).count();
        assert_eq!(written, REFUSALS.get() as usize);
    }
}
