//! The nastiest interleavings that we could think of, by hand.
