//! gordon under load: a real proxy, a database that every request asks over a new connection, and nearly as many requests
//! as the machine can answer. Only one of these tests runs at a time, and nothing else on the engine beside it.

mod app;
mod bench;
mod projects;
mod rollout;
mod traffic;
