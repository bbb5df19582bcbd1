import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'

/** The parameters of a mount's configuration (spec/auth.md 6.4). */
export const configFields = {
  jwt_validation_pubkeys: field.commaList({
    default: [],
    description: 'Public keys (PEM) that tokens are signed with',
  }),
  jwks_url: field.string({ default: '', description: 'URL of the JSON Web Key Set' }),
  jwks_ca_pem: field.string({ default: '', description: 'CA of jwks_url, in PEM' }),
  oidc_discovery_url: field.string({
    default: '',
    description: 'Issuer of an OpenID provider, without /.well-known',
  }),
  oidc_discovery_ca_pem: field.string({
    default: '',
    description: 'CA of oidc_discovery_url, in PEM',
  }),
  oidc_client_id: field.string({ default: '', description: 'Client id at the provider' }),
  oidc_client_secret: field.string({
    default: '',
    description: 'Client secret at the provider; never shown',
  }),
  oidc_response_mode: field.string({ default: '', description: 'query or form_post' }),
  oidc_response_types: field.commaList({ default: [], description: 'code, id_token' }),
  bound_issuer: field.string({ default: '', description: 'The issuer a token must have' }),
  jwt_supported_algs: field.commaList({
    default: [],
    description: 'Signature algorithms taken; none = all that use public keys',
  }),
  default_role: field.lowerString({
    default: '',
    description: 'Role of logins that name none',
  }),
  provider_config: field.map({ default: {}, description: 'Settings of particular providers' }),
  override_allowed_server_names: field.commaList({
    default: [],
    description: "Names taken in the provider's TLS certificate instead of the host of its URL",
  }),
  namespace_in_state: field.bool({
    description: 'Carry the namespace in the state parameter; true unless written otherwise',
  }),
  skip_jwks_validation: field.bool({
    default: false,
    description: 'Keep the configuration, with warnings, though its URLs do not answer',
  }),
}

/** A request about the configuration. */
export type ConfigCall = Call<InputOf<typeof configFields>>
