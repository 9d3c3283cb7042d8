//! Whole stories from wire to page, in one process on the embedded store. One program, because each links the whole house: forty of them
//! are 4 GB.

mod architecture;
mod beside;
mod broadcast;
mod chat;
mod conformance;
mod deliveries;
mod elsewhere;
mod errands;
mod feeds;
mod forges;
mod forges_pulls;
mod freezes;
mod fuzz_findings;
mod holding;
mod hostile;
mod incidents;
mod lane;
mod nights;
mod ownership;
mod pagers;
mod pagers_atlassian;
mod people;
mod pipelines;
mod protection;
mod receivers;
mod reliability;
mod reverts;
mod reviewed;
mod secrets;
mod sources;
mod stories;
mod template;
mod units;
mod versions;
mod wake;
