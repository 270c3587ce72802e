/* SPDX-License-Identifier: Apache-2.0 */
/* The API's document (user/share/openapi.json), as it was when this was built. */
#include "api/routes.h"
#include "api/server.h"
#include "base/buf.h"

#include <picket/api.h>

/* A path below the top of the tree, where it is built. */
__asm__(".pushsection .rodata\n"
	"pk_openapi_begin: .incbin \"user/share/openapi.json\"\n"
	"pk_openapi_end:\n"
	".popsection");
extern const char pk_openapi_begin[] __attribute__((visibility("hidden")));
extern const char pk_openapi_end[] __attribute__((visibility("hidden")));

int pk_openapi_get(struct pk_api_request *q)
{
	struct pk_buf body = { 0 };

	pk_buf_add(&body, pk_openapi_begin, (size_t)(pk_openapi_end - pk_openapi_begin));
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}
