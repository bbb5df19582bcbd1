# A server on one machine: LMDB, one worker a core, audit to a file. The paths are those of the container (deploy/Dockerfile);
# with systemd (deploy/signet.service) they are /var/lib/signet/lmdb and /var/log/signet/audit.log.

listener "tcp" {
  address       = "0.0.0.0:8200"
  tls_cert_file = "/etc/signet/tls.crt"
  tls_key_file  = "/etc/signet/tls.key"
}

# For this machine alone: health checks and metrics without a token.
listener "tcp" {
  address     = "127.0.0.1:8201"
  tls_disable = true
  telemetry {
    unauthenticated_metrics_access = true
  }
}

storage "lmdb" {
  path = "/data/lmdb"
}

# Several nodes on one database, all active, instead:
# storage "postgresql" {
#   connection_url = "postgres://signet@db.example/signet?sslmode=verify-full&sslrootcert=/etc/signet/db-ca.pem"
# }

audit "file" "file" {
  options = { file_path = "/data/audit.log" }
}

api_addr = "https://signet.example:8200"
