/* A client at a terminal: it says who it is and asks who is there. The Manager that answers is in the static library. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

size_t msl_network_converse(const uint8_t *input, size_t input_length, uint8_t *output, size_t output_room);

int main(void)
{
    static const char input[] = "client\nidentity\n";
    static char output[4096];
    size_t said = msl_network_converse((const uint8_t *)input, strlen(input), (uint8_t *)output, sizeof output - 1);

    printf("%zu bytes came out:\n%s", said, output);
    /* The question of the handshake, and an answer that names this very client. */
    if (strstr(output, "\"attribute\": \"identity\"") == NULL || strstr(output, "Client[board:50000]") == NULL) {
        fputs("this is not what a Manager says\n", stderr);
        return 1;
    }
    return 0;
}
