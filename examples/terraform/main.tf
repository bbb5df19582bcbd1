# One person, one group, one policy, over the provider that Vault users have.
#
#   npm start                                             # another terminal: prints VAULT_ADDR and VAULT_TOKEN
#   export VAULT_ADDR=… VAULT_TOKEN=…
#   terraform init && terraform apply && terraform plan   # the plan shows no changes

terraform {
  required_providers {
    vault = {
      source  = "hashicorp/vault"
      version = ">= 4.0"
    }
  }
}

provider "vault" {
  # Address and token come from VAULT_ADDR and VAULT_TOKEN.
}

resource "vault_auth_backend" "password" {
  type = "userpass"
  path = "staff"
}

resource "vault_policy" "engineering" {
  name   = "engineering"
  policy = <<-HCL
    path "secret/data/engineering/*" {
      capabilities = ["create", "read", "update", "list"]
    }
    # Everyone has a folder of their own, by the name of their entity.
    path "secret/data/people/{{identity.entity.name}}/*" {
      capabilities = ["create", "read", "update", "delete", "list"]
    }
  HCL
}

resource "vault_identity_entity" "alice" {
  name     = "alice"
  metadata = { team = "engineering" }
}

# Whoever logs in as alice.smith at auth/staff is alice.
resource "vault_identity_entity_alias" "alice" {
  name           = "alice.smith"
  mount_accessor = vault_auth_backend.password.accessor
  canonical_id   = vault_identity_entity.alice.id
}

resource "vault_identity_group" "engineering" {
  name              = "engineering"
  type              = "internal"
  policies          = [vault_policy.engineering.name]
  member_entity_ids = [vault_identity_entity.alice.id]
}

output "alice" {
  value = vault_identity_entity.alice.id
}
