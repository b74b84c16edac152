// External Secrets Operator for the tests; see source.sh, which copies the module in this version and adds main.go to it,
// and ../../build.sh.
module testbed.invalid/external-secrets

go 1.26.0

require github.com/external-secrets/external-secrets v0.16.2
