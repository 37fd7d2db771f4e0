//! The tail against a simulated CloudWatch, in stepped time.
