/* A laboratory in one program: a Manager, a service, and a person at a terminal. The Manager and the service are in the static
   library; the person, and the network between the three, are here. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct manager manager;
typedef struct service service;

manager *manager_new(void);
uint64_t manager_connect(manager *manager, uint16_t port);
void manager_hears(manager *manager, uint64_t device, const uint8_t *bytes, size_t length);
size_t manager_says(manager *manager, uint64_t device, uint8_t *room, size_t size);
service *service_new(void);
void service_hears(service *service, const uint8_t *bytes, size_t length);
size_t service_says(service *service, uint8_t *room, size_t size);

/* Longer than what is said here at once; 64 KiB are enough for any short lines. */
static uint8_t line[4096];

/* Carries lines between the Manager and the service until neither has one. */
static void carry(manager *manager, uint64_t device, service *service)
{
    size_t length, moved;
    do {
        moved = 0;
        while ((length = manager_says(manager, device, line, sizeof line)) > 0) {
            service_hears(service, line, length);
            moved += length;
        }
        while ((length = service_says(service, line, sizeof line)) > 0) {
            manager_hears(manager, device, line, length);
            moved += length;
        }
    } while (moved > 0);
}

/* Prints what the Manager says to the person; returns whether `expected` is in it. */
static int hears(manager *manager, uint64_t person, const char *expected)
{
    int found = 0;
    size_t length;
    while ((length = manager_says(manager, person, line, sizeof line - 1)) > 0) {
        line[length] = 0;
        fputs((const char *)line, stdout);
        found |= strstr((const char *)line, expected) != NULL;
    }
    if (!found)
        fprintf(stderr, "nobody said %s\n", expected);
    return found;
}

static void says(manager *manager, uint64_t person, const char *text)
{
    manager_hears(manager, person, (const uint8_t *)text, strlen(text));
}

int main(void)
{
    manager *manager = manager_new();
    service *service = service_new();
    uint64_t adder = manager_connect(manager, 50001);
    uint64_t person = manager_connect(manager, 50002);
    int good = 1;

    carry(manager, adder, service);
    good &= hears(manager, person, "\"attribute\": \"identity\"");
    says(manager, person, "client Ann\nlink Adder\n");
    good &= hears(manager, person, "\"requester\": \"Ann[127.0.0.1:50002]\"");
    says(manager, person, "Adder add 1.5 2\n");
    carry(manager, adder, service);
    good &= hears(manager, person, "\"result\": 3.5");
    says(manager, person, "Adder add one\n");
    carry(manager, adder, service);
    good &= hears(manager, person, "TypeError: 'add' takes two numbers");
    return good ? 0 : 1;
}
