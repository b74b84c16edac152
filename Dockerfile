# The operator's image:
#
#   docker build -t registry.example.org/technical-user-operator:0.1.0 .

# Both stages are Debian 12: the program runs with the C library that it was linked against.
FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# Without debug symbols; a panic still tells file and line.
ENV CARGO_PROFILE_RELEASE_STRIP=symbols
RUN cargo build --release --locked --package technical-user-operator --bin technical-user-operator

# C library and the public root certificates; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="technical-user-operator" \
      org.opencontainers.image.description="Provisions data-space technical users and publishes their credentials" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /src/target/release/technical-user-operator /usr/local/bin/technical-user-operator
# By number: the kubelet cannot tell from a name that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/technical-user-operator"]
CMD ["run"]
