# A server on one machine: LMDB in /data, one worker a core, audit to a file.

listener "tcp" {
  address       = "0.0.0.0:8200"
  tls_cert_file = "/etc/signet/tls.crt"
  tls_key_file  = "/etc/signet/tls.key"
}

storage "lmdb" {
  path = "/data/lmdb"
}

# Several nodes on one database, all active, instead:
# storage "postgresql" {
#   connection_url = "postgres://signet@db.example/signet?sslmode=verify-full"
# }

audit "file" "file" {
  options = { file_path = "/data/audit.log" }
}

api_addr = "https://signet.example:8200"
