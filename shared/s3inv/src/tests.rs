//! Answers are what their plain definitions say.

mod diff;
mod top;
