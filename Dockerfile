# The operator's image:
#
#   docker build -t registry.example.org/technical-user-operator:0.1.0 .
#
# tools/image.sh builds the same image without Docker. It has the same settings; tests/image.rs compares them.

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package technical-user-operator --bin technical-user-operator \
 && tools/image-root.sh target/release/technical-user-operator /root-dir

# The program, its C library and the public root certificates; no shell, no package manager.
FROM scratch
LABEL org.opencontainers.image.title="technical-user-operator" \
      org.opencontainers.image.description="Provisions data-space technical users and publishes their credentials" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
COPY --from=build /root-dir /
# By number: the kubelet cannot see from a name that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/technical-user-operator"]
CMD ["run"]
